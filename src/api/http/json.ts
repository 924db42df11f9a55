import type { Context } from 'koa';
import { toStatus } from '../../protocol/errors.ts';

/** Answers with JSON. The type is exactly `application/json`: clients compare the whole value. */
export function sendJson(ctx: Context, status: number, body: unknown): void {
  sendJsonBytes(ctx, status, Buffer.from(JSON.stringify(body)));
}

export function sendJsonBytes(ctx: Context, status: number, body: Buffer): void {
  ctx.status = status;
  ctx.set('Content-Type', 'application/json');
  ctx.set('Cache-Control', 'no-store');
  ctx.body = body;
}

/** Answers with the `google.rpc.Status` of whatever was thrown. */
export function sendError(ctx: Context, error: unknown): void {
  const { status, body } = toStatus(error);
  sendJson(ctx, status, body);
}
