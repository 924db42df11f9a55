/** The application's backend: it registers, forwards, sponsors and reads. Nothing in it can sign for a user. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import Koa, { type Context } from 'koa';
import { createPublicClient, defineChain, http } from 'viem';
import { forward, type Stamped } from '../../../sdk/src/index.ts';
import { AppError } from './app-error.ts';
import { tokensOf } from './collection.ts';
import type { Config } from './config.ts';
import { describeError } from './describe-error.ts';
import { createMints } from './mints.ts';
import { createPages } from './pages.ts';
import { readJson } from './read-json.ts';
import { createSessions } from './sessions.ts';
import { createUsers, type Registration } from './users.ts';

type Handler = (ctx: Context) => Promise<unknown>;

/** What a user may have forwarded as it is; mints go their own way. */
const forwarded = ['createAuthenticators', 'createPolicy', 'deletePolicy'] as const;

/** Listens on localhost until `close` is called. Port 0 takes a free one. */
export async function startBackend(config: Config) {
  const { chain, contracts, countersign } = config;
  const client = createPublicClient({
    chain: defineChain({
      id: chain.id,
      name: 'chain',
      nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
      rpcUrls: { default: { http: [chain.rpcUrl] } },
    }),
    transport: http(chain.rpcUrl, { retryCount: 0, timeout: 5000 }),
    pollingInterval: 100,
  });
  const users = createUsers(config);
  const sessions = createSessions(config);
  const mints = createMints(config, client, users);

  const routes: Readonly<Record<string, Handler>> = {
    'POST /api/register': async (ctx) => {
      const { email, registration } = await readJson<{ email: string; registration: Registration }>(ctx);
      await users.register(readEmail(email), registration);
    },
    'POST /api/challenge': async (ctx) => ({
      nonce: sessions.challenge(ctx),
      organizationId: countersign.organizationId,
    }),
    'POST /api/login': async (ctx) => sessions.logIn(ctx, await readJson<Stamped>(ctx)),
    'POST /api/logout': async (ctx) => sessions.logOut(ctx),

    'GET /api/me': async (ctx) => {
      const { organizationId, userId, username } = sessions.userOf(ctx);
      const { address, ...account } = await users.read(organizationId, userId);
      const onChain = Promise.all([client.getBalance({ address }), tokensOf(client, contracts.nft, address)]);
      const [balance, tokens] = await onChain.catch(() => [null, null]);
      return {
        organizationId,
        userId,
        email: username,
        address,
        ...account,
        balance: balance?.toString() ?? null,
        tokens,
      };
    },
    'GET /api/history': async (ctx) => users.history(sessions.userOf(ctx).organizationId),
    'GET /api/explanation': async (ctx) =>
      users.explain(sessions.userOf(ctx).organizationId, String(ctx.query.activity)),

    'GET /api/terms': async (ctx) => mints.terms(sessions.userOf(ctx)),
    'POST /api/mint': async (ctx) => {
      const steps = mints.carryOut(sessions.userOf(ctx), await readJson<Stamped>(ctx));
      ctx.type = 'application/x-ndjson';
      return Readable.from(linesOf(steps));
    },
    'POST /api/forward': async (ctx) => {
      sessions.userOf(ctx);
      const method = forwarded.find((name) => name === ctx.query.method);
      if (!method) throw new AppError('invalid', `expected one of ${forwarded.join(', ')}`);
      await forward(await readJson<Stamped>(ctx), { baseUrl: countersign.baseUrl, method });
    },
  };

  const pages = await createPages();
  const app = new Koa();
  app.use(async (ctx) => {
    const handler = Object.hasOwn(routes, `${ctx.method} ${ctx.path}`) && routes[`${ctx.method} ${ctx.path}`];
    if (!handler) return pages(ctx);
    ctx.set({ 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' });
    try {
      ctx.body = (await handler(ctx)) ?? {};
    } catch (error) {
      const { status, ...description } = describeError(error);
      ctx.status = status;
      ctx.body = { error: description };
    }
  });
  const server = app.listen(config.port, 'localhost');
  await once(server, 'listening');
  return {
    origin: `http://localhost:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** A JSON line for each step; the last one may be an error. */
async function* linesOf(steps: AsyncIterable<object>): AsyncGenerator<string> {
  try {
    for await (const step of steps) yield `${JSON.stringify(step)}\n`;
  } catch (error) {
    yield `${JSON.stringify({ error: describeError(error) })}\n`;
  }
}

function readEmail(value: unknown): string {
  const email = String(value).trim().toLowerCase();
  if (/^[^\s@]{1,64}@[^\s@]{1,190}$/.test(email)) return email;
  throw new AppError('invalid', 'Please write an e-mail address, such as ada@example.com.');
}
