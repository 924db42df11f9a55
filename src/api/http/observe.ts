import { randomUUID } from 'node:crypto';
import type { Middleware } from 'koa';
import type { Logger } from 'pino';
import { CountersignError } from '../../protocol/errors.ts';
import type { Metrics } from '../metrics.ts';
import { sendError } from './json.ts';

/** What the layers below tell of a request: the name of its route and whose it is. */
export type RequestState = { route?: string; address?: string };

/** Outermost layer: gives each request an id, answers what was thrown, counts and logs. Logs hold nothing of the content. */
export function observe(logger: Logger, metrics: Metrics, isDraining: () => boolean): Middleware<RequestState> {
  return async (ctx, next) => {
    const start = performance.now();
    const id = randomUUID();
    ctx.res.setHeader('X-Request-Id', id);
    try {
      await next();
    } catch (error) {
      if (!(error instanceof CountersignError)) logger.error({ id, err: error }, 'unexpected error');
      sendError(ctx, error);
    }
    // A client that keeps its connection would hold up the end of the service.
    if (isDraining()) ctx.set('Connection', 'close');
    const { route = 'other', address } = ctx.state;
    const ms = performance.now() - start;
    metrics.observeRequest(route, ctx.status, ms / 1000);
    // Whoever watches over the service asks for it every few seconds.
    logger[route === '/health' ? 'debug' : 'info'](
      { id, method: ctx.method, route, status: ctx.status, ms: Math.round(ms * 100) / 100, address },
      'request',
    );
  };
}
