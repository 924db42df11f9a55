import type { IncomingHttpHeaders } from 'node:http';
import type { Context, Middleware } from 'koa';
import { largestHandIn } from '../../protocol/ceremony/largest-hand-in.ts';
import { CountersignError, invalidArgument } from '../../protocol/errors.ts';
import type { EnclaveClient } from '../enclave-client.ts';
import type { Health } from '../health.ts';
import type { Metrics } from '../metrics.ts';
import type { DocsPage } from './docs.ts';
import { sendJson, sendJsonText } from './json.ts';
import type { RequestState } from './observe.ts';
import { setPageHeaders } from './pages.ts';
import { readBody } from './read-body.ts';
import { readNonce } from './read-nonce.ts';
import { readStamp } from './read-stamp.ts';

export type RouteParts = {
  readonly enclave: Pick<EnclaveClient, 'request' | 'attest' | 'ceremony'>;
  readonly health: () => Promise<Health>;
  readonly metrics: Metrics;
  /** Answers with a part of the log. */
  readonly log: (ctx: Context, path: string) => Promise<void>;
  /** Answers with a page; false when there is none of the path. */
  readonly pages: (ctx: Context) => Promise<boolean>;
  /** Where clients find the service, for the OpenAPI document; null when it is not set. */
  readonly publicUrl: string | null;
};

/** What carries the evidence of an answer; that of a submission is in the answer itself too. */
const proofHeader = { submit: 'X-Countersign-Receipt', query: 'X-Countersign-Proof' } as const;

/** Clients and proxies refuse an answer with long headers as a whole; of a submission the receipt is in the answer anyway. */
const longestHeader = 8 * 1024;

const endpoint = /^\/public\/v1\/(submit|query)\/([a-z0-9_]{1,64})$/;

/** Turns a request into its answer. Paths are compared as they came: nothing is decoded or normalised. */
export function routes(parts: RouteParts): Middleware<RequestState> {
  let documentation: Promise<Documentation> | undefined;
  const documents = () => {
    documentation ??= describeApi(parts.publicUrl);
    return documentation;
  };
  const gets: Readonly<Record<string, (ctx: Context) => Promise<void> | void>> = {
    '/health': async (ctx) => {
      const health = await parts.health();
      sendJson(ctx, health.status === 'ok' ? 200 : 503, health);
    },
    '/attestation': async (ctx) => {
      const { status, body } = await parts.enclave.attest(readNonce(ctx.query.nonce));
      sendJsonText(ctx, status, Buffer.from(body).toString());
    },
    '/ceremony': async (ctx) => {
      const { status, body } = await parts.enclave.ceremony(Buffer.alloc(0));
      sendJsonText(ctx, status, Buffer.from(body).toString());
    },
    '/metrics': async (ctx) => {
      ctx.set('Content-Type', 'text/plain; version=0.0.4; charset=utf-8');
      ctx.body = await parts.metrics.text();
    },
    '/openapi.json': async (ctx) => sendJsonText(ctx, 200, (await documents()).json),
    '/docs': async (ctx) => {
      const { docs } = await documents();
      setPageHeaders(ctx, docs.contentSecurityPolicy);
      ctx.set('Content-Type', 'text/html; charset=utf-8');
      ctx.body = docs.html;
    },
  };

  // Names that the enclave answered with success: these exist, so as labels of metrics their number is bounded.
  const known = new Set<string>();

  return async (ctx) => {
    const match = endpoint.exec(ctx.path);
    const [, kind, name] = match ?? [];
    if ((kind === 'submit' || kind === 'query') && name) {
      ctx.state.route = known.has(name) ? name : kind;
      allow(ctx, 'POST');
      const stamp = readStamp(ctx.req.headers);
      const body = await readBody(ctx.req, ctx.res);
      const explain = ctx.req.headers['x-countersign-explain'] === '1';
      const completion = readCompletion(ctx.req.headers);
      const proof =
        kind === 'submit' ? ctx.req.headers['x-countersign-receipt'] !== 'omit' : ctx.querystring === 'proof=1';
      const besides = { ...(explain && { explain }), ...(completion && { completion }), ...(proof && { proof }) };
      const answer = await parts.enclave.request({ kind, name, body, stamp, ...besides });
      if (answer.status === 200) {
        known.add(name);
        ctx.state.route = name;
      }
      const evidence = answer.receipt && Buffer.from(answer.receipt).toString('base64url');
      if (evidence && (kind === 'query' || evidence.length <= longestHeader)) ctx.set(proofHeader[kind], evidence);
      return sendJsonText(ctx, answer.status, (answer.body as Buffer).toString());
    }
    if (ctx.path === '/ceremony/shares') {
      ctx.state.route = ctx.path;
      allow(ctx, 'POST');
      const body = await readBody(ctx.req, ctx.res);
      // Anybody may post here, and the enclave takes one after another.
      if (body.length > largestHandIn)
        throw invalidArgument(`expected a body of at most ${largestHandIn} bytes`, { status: 413 });
      const answer = await parts.enclave.ceremony(body);
      return sendJsonText(ctx, answer.status, Buffer.from(answer.body).toString());
    }
    const get = Object.hasOwn(gets, ctx.path) ? gets[ctx.path] : undefined;
    if (get) {
      ctx.state.route = ctx.path;
      allow(ctx, 'GET', 'HEAD');
      return get(ctx);
    }
    if (ctx.path.startsWith('/log/')) {
      ctx.state.route = 'log';
      allow(ctx, 'GET', 'HEAD');
      return parts.log(ctx, ctx.path.slice('/log/'.length));
    }
    const isRead = ctx.method === 'GET' || ctx.method === 'HEAD';
    if (isRead && (await parts.pages(ctx))) {
      ctx.state.route = 'page';
      return;
    }
    throw new CountersignError('NOT_FOUND', 'no such path');
  };
}

/** Node joins repeated headers of a name of one's own with a comma, which no base64url has. */
function readCompletion(headers: IncomingHttpHeaders): string | undefined {
  const value = headers['x-countersign-completion'];
  return typeof value === 'string' ? value : undefined;
}

type Documentation = { readonly json: string; readonly docs: DocsPage };

/** Rarely asked for and slow to load, so it is made when it is wanted first. */
async function describeApi(publicUrl: string | null): Promise<Documentation> {
  const [{ openApiDocument }, { renderDocs }] = await Promise.all([import('./openapi.ts'), import('./docs.ts')]);
  const document = openApiDocument(publicUrl);
  return { json: JSON.stringify(document), docs: renderDocs(document) };
}

function allow(ctx: Context, ...methods: string[]): void {
  if (methods.includes(ctx.method)) return;
  ctx.set('Allow', methods.join(', '));
  throw new CountersignError('UNIMPLEMENTED', `expected method ${methods.join(' or ')}`, { status: 405 });
}
