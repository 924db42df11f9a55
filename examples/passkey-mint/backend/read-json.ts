import type { Context } from 'koa';
import { AppError } from './app-error.ts';

const maxBytes = 262_144;

/** The body. That it has to be called JSON keeps forms of other pages out: browsers ask before they send it elsewhere. */
export async function readJson<T>(ctx: Context): Promise<T> {
  if (!ctx.is('json')) throw new AppError('invalid', 'expected Content-Type: application/json');
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of ctx.req as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxBytes) throw new AppError('invalid', 'the body is too large');
    chunks.push(chunk);
  }
  try {
    return { ...(JSON.parse(Buffer.concat(chunks).toString()) as T) };
  } catch (cause) {
    throw new AppError('invalid', 'the body is no JSON', { cause });
  }
}
