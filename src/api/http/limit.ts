import type { BlockList } from 'node:net';
import type { Middleware } from 'koa';
import { CountersignError } from '../../protocol/errors.ts';
import { clientAddress, isLoopback } from './client-address.ts';
import type { RequestState } from './observe.ts';
import { createRateLimit } from './rate-limit.ts';

/** Requests per second and address; null: 300, and as many as they like from this machine. */
export type RateLimitSetting = number | null;

const defaultRate = 300;

/** Refuses addresses that ask too often, before anything of the request is read. */
export function limit(setting: RateLimitSetting, proxies: BlockList): Middleware<RequestState> {
  const take = createRateLimit(setting ?? defaultRate);
  return (ctx, next) => {
    const forwarded = ctx.req.headers['x-forwarded-for'];
    const list = Array.isArray(forwarded) ? forwarded.join() : forwarded;
    const address = clientAddress(ctx.req.socket.remoteAddress ?? '', list, proxies);
    ctx.state.address = address;
    const wait = setting === null && isLoopback(address) ? 0 : take(address);
    if (wait > 0) {
      ctx.set('Retry-After', String(Math.ceil(wait)));
      throw new CountersignError('RESOURCE_EXHAUSTED', 'rate limited', { reason: 'RATE_LIMIT_EXCEEDED' });
    }
    return next();
  };
}
