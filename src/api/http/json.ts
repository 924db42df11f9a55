import type { Context } from 'koa';
import { toStatus } from '../../protocol/errors.ts';

/** Answers with JSON. The type is exactly `application/json`: clients compare the whole value. */
export function sendJson(ctx: Context, status: number, body: unknown): void {
  sendJsonText(ctx, status, JSON.stringify(body));
}

/** As text, because Node writes that together with the headers, and bytes in a second piece. */
export function sendJsonText(ctx: Context, status: number, body: string): void {
  ctx.status = status;
  ctx.res.setHeader('Content-Type', 'application/json');
  ctx.res.setHeader('Cache-Control', 'no-store');
  ctx.body = body;
}

/** Answers with the `google.rpc.Status` of whatever was thrown. */
export function sendError(ctx: Context, error: unknown): void {
  const { status, body } = toStatus(error);
  sendJson(ctx, status, body);
}
