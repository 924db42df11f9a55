import { createServer as createHttpServer, type Server } from 'node:http';
import type { BlockList } from 'node:net';
import Koa from 'koa';
import type { Logger } from 'pino';
import { crossOrigin } from './cross-origin.ts';
import { limit, type RateLimitSetting } from './limit.ts';
import { observe } from './observe.ts';
import { maxBody } from './read-body.ts';
import { refuseBrokenRequests } from './refuse-connection.ts';
import { type RouteParts, routes } from './routes.ts';

export type ServerParts = RouteParts & {
  readonly logger: Logger;
  readonly rateLimit: RateLimitSetting;
  readonly proxies: BlockList;
};

/** Milliseconds: a client that sends slowly is cut off, one that comes back finds its connection. */
const timeouts = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 65_000,
  connectionsCheckingInterval: 5_000,
};

/** The HTTP server, not yet listening. Once it was closed, it ends each connection with the answer that is due on it. */
export function createServer(parts: ServerParts): Server {
  const app = new Koa();
  const isDraining = () => !server.listening;
  app.use(observe(parts.logger, parts.metrics, isDraining));
  app.use(crossOrigin);
  app.use(limit(parts.rateLimit, parts.proxies));
  app.use(routes(parts));
  // What is thrown is answered by `observe`; here come only connections that broke while they were written to.
  app.on('error', (error) => parts.logger.debug({ err: error }, 'connection failed'));
  const handle = app.callback();
  const server = createHttpServer({ ...timeouts, maxHeaderSize: 32 * 1024, noDelay: true }, handle);
  server.maxRequestsPerSocket = 0;
  refuseBrokenRequests(server);
  server.on('checkContinue', (request, response) => {
    // Without the interim answer a client need not send a body that is too large anyway.
    if (!(Number(request.headers['content-length']) > maxBody)) response.writeContinue();
    void handle(request, response);
  });
  return server;
}
