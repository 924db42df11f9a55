import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request as httpRequest, type IncomingHttpHeaders, type RequestOptions, type Server } from 'node:http';
import { type AddressInfo, connect as connectSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createEnclaveClient, type EnclaveClient } from '../../../src/api/enclave-client.ts';
import { checkHealth } from '../../../src/api/health.ts';
import { parseProxies } from '../../../src/api/http/client-address.ts';
import { createLogRoute } from '../../../src/api/http/log.ts';
import { createPages } from '../../../src/api/http/pages.ts';
import { createServer } from '../../../src/api/http/server.ts';
import { createMetrics } from '../../../src/api/metrics.ts';
import { openPool } from '../../../src/api/storage/connection.ts';
import { unavailable } from '../../../src/protocol/errors.ts';
import { tilePath } from '../../../src/protocol/log/tiles.ts';
import type { RequestMessage } from '../../../src/protocol/messages.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres.ts';
import { type FakeEnclave, openFakeEnclave, socketPair } from './fake-enclave.ts';

let database: TestPostgres;
let pool: Pool;
let client: EnclaveClient;
let enclave: FakeEnclave;
let server: Server;
let limited: Server;
let pagesFolder: string;
let requests: RequestMessage[] = [];
const logged: string[] = [];

/** The log: 300 entries are released, 310 are in the database, of which one tile lacks. */
const tiles = new Map(
  ['tile/0/000', 'tile/0/001.p/40', 'tile/0/001.p/44', 'tile/0/001.p/50', 'tile/1/000.p/1', 'tile/entries/000'].map(
    (path) => [path, Buffer.from(path)],
  ),
);
const note = (size: number) =>
  `countersign/0123\n${size}\n${Buffer.alloc(32).toString('base64')}\n\n\u2014 countersign/0123 ${Buffer.alloc(68).toString('base64')}\n`;
let released: () => { status: number; body: Buffer };
const serving = (size: number | null) => () => ({
  status: 200,
  body: Buffer.from(JSON.stringify({ phase: 'serving', checkpoint: size === null ? null : note(size) })),
});

beforeAll(async () => {
  database = await startPostgres();
  pool = openPool(database.url);
  const [near, far] = await socketPair();
  enclave = openFakeEnclave(far, (request) => {
    requests.push(request);
    if (request.name.startsWith('unknown'))
      return { status: 404, body: { code: 12, message: 'no activity', details: [] } };
    const [, size] = /^proven_(\d+)$/.exec(request.name) ?? [];
    const receipt = size === undefined ? {} : { receipt: Buffer.alloc(Number(size), 1) };
    return { status: 200, body: { activity: { id: 'one' } }, ...receipt };
  });
  const writer = { write: () => {}, lease: async () => null, trouble: () => null };
  client = createEnclaveClient({
    stream: near,
    writer,
    addCheckpoint: async () => ({ status: 0, body: '' }),
    fetchRows: async () => ({ what: 'batches', batches: [] }),
    noteDenial: async () => {},
    onNoteFailed: () => {},
    onFetchFailed: () => {},
    onEnd: () => {},
  });
  pagesFolder = await mkdtemp(join(tmpdir(), 'countersign-pages-'));
  await mkdir(join(pagesFolder, 'assets'));
  await writeFile(join(pagesFolder, 'index.html'), '<!doctype html><title>start</title>');
  await writeFile(join(pagesFolder, 'other.html'), '<!doctype html><title>other</title>');
  await writeFile(join(pagesFolder, 'assets', 'app.js'), 'export {};');
  await writeFile(join(pagesFolder, 'notes.ts'), 'not for browsers');
  const start = async (rateLimit: number | null) => {
    const parts = {
      enclave: client,
      metrics: createMetrics(client.waiting),
      logger: pino({ level: 'info' }, { write: (line: string) => logged.push(line) }),
      health: () => checkHealth({ pool, tables: { trouble: () => null }, writer, enclave: client }),
      log: createLogRoute({
        enclave: { status: async () => released() },
        loadTile: async (tile) => tiles.get(tilePath(tile)),
      }),
      pages: createPages(pagesFolder),
      publicUrl: 'https://sign.example',
      rateLimit,
      proxies: parseProxies('127.0.0.1, 10.0.0.0/8'),
    };
    const listening = createServer(parts).listen(0, '127.0.0.1');
    await once(listening, 'listening');
    return listening;
  };
  server = await start(null);
  limited = await start(3);
}, 60_000);
afterAll(async () => {
  server.closeAllConnections();
  limited.closeAllConnections();
  server.close();
  limited.close();
  client.close();
  enclave.close();
  await pool.end();
  await database.remove();
  await rm(pagesFolder, { recursive: true });
});
beforeEach(() => {
  requests = [];
});

type Reply = { status: number; headers: IncomingHttpHeaders; text: string };

/** A request whose path goes out exactly as it is written here. */
async function send(
  method: string,
  path: string,
  {
    body,
    headers = {},
    to = server,
  }: { body?: string | Buffer; headers?: RequestOptions['headers']; to?: Server } = {},
): Promise<Reply> {
  const { port } = to.address() as AddressInfo;
  const request = httpRequest({ port, host: '127.0.0.1', method, path, headers });
  request.end(body);
  const [response] = await once(request, 'response');
  // A server that has answered need not take the rest of the body.
  request.on('error', () => {});
  let text = '';
  for await (const chunk of response) text += chunk;
  return { status: response.statusCode, headers: response.headers, text };
}

const sign = '/public/v1/submit/sign_raw_payload';
const stamped = { 'X-Stamp': 'abc' };

/** Every refusal is a google.rpc.Status, whatever the path. */
function expectStatus(reply: Reply, status: number, code: number): { message: string } {
  expect(reply.status).toBe(status);
  expect(reply.headers['content-type']).toBe('application/json');
  const body = JSON.parse(reply.text);
  expect(body).toEqual({ code, message: expect.any(String), details: expect.any(Array) });
  return body;
}

describe('requests for the enclave', () => {
  test('the exact body and the stamp go in, status and bytes come out', async () => {
    const body = Buffer.from('{"a": 1,\n"\\u00e4":"\xff"}', 'latin1');
    const reply = await send('POST', sign, { body, headers: stamped });
    expect(reply.status).toBe(200);
    expect(reply.text).toBe('{"activity":{"id":"one"}}');
    expect(reply.headers['content-type']).toBe('application/json');
    expect(reply.headers['cache-control']).toBe('no-store');
    expect(reply.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    expect(requests).toMatchObject([
      { kind: 'submit', name: 'sign_raw_payload', stamp: { header: 'x-stamp', value: 'abc' } },
    ]);
    expect(Buffer.from(requests[0]?.body ?? [])).toEqual(body);
  });

  test('the wish for an explanation is passed on', async () => {
    for (const wish of ['1', '0', 'true']) {
      await send('POST', sign, { body: '{}', headers: { 'x-countersign-explain': wish } });
    }
    await send('POST', sign, { body: '{}' });
    expect(requests.map(({ explain }) => explain)).toEqual([true, undefined, undefined, undefined]);
  });

  test('a passkey stamp, a query, and no stamp at all are passed on as they are', async () => {
    await send('POST', '/public/v1/query/whoami', { body: '{}', headers: { 'x-stamp-webauthn': '{"a":"b"}' } });
    await send('POST', '/public/v1/query/whoami?x=1', { body: '{}' });
    expect(requests.map(({ kind, stamp }) => [kind, stamp])).toEqual([
      ['query', { header: 'x-stamp-webauthn', value: '{"a":"b"}' }],
      ['query', null],
    ]);
  });

  test('an empty body goes to the enclave, which knows what to say', async () => {
    await send('POST', sign, { headers: stamped });
    expect(requests[0]?.body).toHaveLength(0);
  });

  test('what the enclave refuses is passed on too', async () => {
    expectStatus(await send('POST', '/public/v1/submit/unknown', { body: '{}' }), 404, 12);
  });

  test('a receipt is a header as long as headers may be; a long one would cost the whole answer', async () => {
    const header = async (path: string, name: string) => {
      const { status, headers } = await send('POST', `/public/v1/${path}`, { body: '{}' });
      expect(status).toBe(200);
      return headers[name];
    };
    expect(await header('submit/proven_6000', 'x-countersign-receipt')).toHaveLength(8000);
    expect(await header('submit/proven_12000', 'x-countersign-receipt')).toBeUndefined();
    // Of a query it is nowhere else.
    expect(await header('query/proven_7000', 'x-countersign-proof')).toHaveLength(9334);
  });

  test('two stamps are refused', async () => {
    const headers = { ...stamped, 'X-Stamp-Webauthn': '{}' };
    expectStatus(await send('POST', sign, { body: '{}', headers }), 401, 16);
    expect(requests).toEqual([]);
  });

  test('a stamp of more than 8 KiB is refused', async () => {
    await send('POST', sign, { body: '{}', headers: { 'X-Stamp': 'a'.repeat(8192) } });
    expect(requests).toHaveLength(1);
    expectStatus(await send('POST', sign, { body: '{}', headers: { 'X-Stamp': 'a'.repeat(8193) } }), 431, 3);
    expect(requests).toHaveLength(1);
  });

  test.each([1024 * 1024 + 1, 10 * 1024 * 1024, 20 * 1024 * 1024])('a body of %i bytes is too large', async (size) => {
    // The sender of a very large one is cut off, and may not get to read why.
    const reply = await send('POST', sign, { body: Buffer.alloc(size, 32), headers: stamped }).catch(() => null);
    if (reply) expectStatus(reply, 413, 3);
    else expect(size).toBeGreaterThan(16 * 1024 * 1024);
    expect(requests).toEqual([]);
  });

  test('a body of exactly 1 MiB is not, nor is one that comes in chunks', async () => {
    const body = Buffer.alloc(1024 * 1024, 32);
    expect((await send('POST', sign, { body, headers: stamped })).status).toBe(200);
    const chunked = { ...stamped, 'Transfer-Encoding': 'chunked' };
    expect((await send('POST', sign, { body, headers: chunked })).status).toBe(200);
    expectStatus(await send('POST', sign, { body: Buffer.alloc(1024 * 1024 + 1), headers: chunked }), 413, 3);
    expect(requests).toHaveLength(2);
  });

  test('what is larger than a share does not reach the ceremony, to which anybody may post', async () => {
    expectStatus(await send('POST', '/ceremony/shares', { body: Buffer.alloc(2049, 32) }), 413, 3);
    expect(enclave.received.some(({ type }) => type === 'ceremony')).toBe(false);
  });

  test('a body that is compressed is refused', async () => {
    expectStatus(await send('POST', sign, { body: '{}', headers: { 'Content-Encoding': 'gzip' } }), 415, 3);
  });

  test('Expect: 100-continue is answered before the body, and by 413 where the body would be too large', async () => {
    const ask = async (length: number) => {
      const { port } = server.address() as AddressInfo;
      const socket = connectSocket(port, '127.0.0.1');
      const head = `POST ${sign} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: ${length}\r\n\r\n`;
      socket.write(head);
      const [first] = await once(socket, 'data');
      socket.destroy();
      return String(first).split('\r\n')[0];
    };
    expect(await ask(2)).toBe('HTTP/1.1 100 Continue');
    expect(await ask(2_000_000)).toBe('HTTP/1.1 413 Payload Too Large');
  });
});

describe('paths and methods', () => {
  test.each([
    '/public/v1/submit/',
    '/public/v1/submit',
    '/public/v1/submit/a/b',
    '/public/v1/submit/%2e%2e',
    '/public/v1/submit/../query/whoami',
    '/public/v1/submit/Sign_Raw_Payload',
    '/public/v1/other/whoami',
    '/PUBLIC/v1/query/whoami',
    '//public/v1/query/whoami',
    '/public/v1/query/whoami/',
    '/nowhere',
    '/__proto__',
    '/constructor',
    '/notes.ts',
    '/..%2fmain.ts',
    '/../main.ts',
  ])('%s is not found', async (path) => {
    expectStatus(await send('POST', path, { body: '{}' }), 404, 5);
    expectStatus(await send('GET', path), 404, 5);
    expect(requests).toEqual([]);
  });

  test.each([
    ['GET', sign, 'POST'],
    ['PUT', sign, 'POST'],
    ['DELETE', '/public/v1/query/whoami', 'POST'],
    ['POST', '/health', 'GET, HEAD'],
    ['POST', '/openapi.json', 'GET, HEAD'],
  ])('%s %s is not allowed', async (method, path, allowed) => {
    const reply = await send(method, path);
    expectStatus(reply, 405, 12);
    expect(reply.headers.allow).toBe(allowed);
  });

  test('browsers of any origin may ask, without credentials', async () => {
    const headers = {
      Origin: 'https://app.example',
      'Access-Control-Request-Method': 'POST',
      'Access-Control-Request-Headers': 'content-type,x-stamp-webauthn',
    };
    const preflight = await send('OPTIONS', sign, { headers });
    expect(preflight.status).toBe(204);
    expect(preflight.headers['access-control-allow-origin']).toBe('*');
    expect(preflight.headers['access-control-allow-credentials']).toBeUndefined();
    expect(preflight.headers['access-control-allow-methods']).toContain('POST');
    for (const name of [
      'Content-Type',
      'X-Client-Version',
      'X-Stamp',
      'X-Stamp-Webauthn',
      'X-Stamp-Attested',
      'X-Session',
      'X-Countersign-Explain',
    ]) {
      expect(preflight.headers['access-control-allow-headers']?.split(', ')).toContain(name);
    }
    for (const reply of [await send('POST', sign, { body: '{}' }), await send('GET', sign)]) {
      expect(reply.headers['access-control-allow-origin']).toBe('*');
    }
    expect((await send('GET', '/metrics')).headers['access-control-allow-origin']).toBeUndefined();
  });
});

describe('about the service', () => {
  test('health tells of database and enclave', async () => {
    const reply = await send('GET', '/health');
    expect(reply.status).toBe(200);
    expect(JSON.parse(reply.text)).toEqual({
      status: 'ok',
      database: { ok: true, reason: null },
      enclave: { ok: true, phase: 'serving', batch: 7 },
    });
    expect((await send('HEAD', '/health')).text).toBe('');
  });

  test('health is 503 and says why while the database is gone, and 200 when it is back', async () => {
    await database.stop();
    const reply = await send('GET', '/health');
    expect(reply.status).toBe(503);
    expect(JSON.parse(reply.text)).toMatchObject({
      status: 'unavailable',
      database: { ok: false, reason: expect.stringMatching(/database/) },
      enclave: { ok: true },
    });
    await database.start();
    expect((await send('GET', '/health')).status).toBe(200);
  });

  test('metrics count requests under names that the enclave knows', async () => {
    await send('POST', sign, { body: '{}' });
    for (const name of ['unknown_1', 'unknown_2']) await send('POST', `/public/v1/submit/${name}`, { body: '{}' });
    await send('GET', '/nowhere');
    const { text, headers } = await send('GET', '/metrics');
    expect(headers['content-type']).toMatch(/^text\/plain/);
    expect(text).toMatch(/countersign_request_seconds_count\{name="sign_raw_payload",status="200"\} \d/);
    expect(text).toMatch(/name="submit",status="404"/);
    expect(text).toMatch(/name="other",status="404"/);
    expect(text).not.toContain('unknown');
    expect(text).toContain('process_cpu_seconds_total');
  });

  test('the OpenAPI document names every activity and query, with what their lists hold', async () => {
    const reply = await send('GET', '/openapi.json');
    expect(reply.headers['content-type']).toBe('application/json');
    const document = JSON.parse(reply.text);
    expect(document.openapi).toBe('3.1.0');
    expect(document.servers).toEqual([{ url: 'https://sign.example' }]);
    const { activities, queries } = await import('../../../src/protocol/registry.ts');
    expect(Object.keys(document.paths)).toEqual([
      ...activities.map(({ name }) => `/public/v1/submit/${name}`),
      ...queries.map(({ name }) => `/public/v1/query/${name}`),
    ]);
    const { oneOf } = document.paths[sign].post.requestBody.content['application/json'].schema;
    expect(oneOf.at(-1).properties.parameters.required).toContain('signWith');
    expect(reply.text).not.toContain('"items":{}');
  });

  test('the documentation is one page that loads nothing', async () => {
    const { text, headers } = await send('GET', '/docs');
    expect(headers['content-type']).toBe('text/html; charset=utf-8');
    expect(headers['content-security-policy']).toMatch(/^default-src 'none'; style-src 'sha256-[^']+';/);
    expect(text).toContain('<code>POST /public/v1/submit/sign_raw_payload</code>');
    expect(text).toContain('<html lang="en">');
    expect(text).not.toMatch(/<script|src=|style="|href="http/);
  });

  test('pages are served with a strict policy, once', async () => {
    const start = await send('GET', '/');
    expect(start.status).toBe(200);
    expect(start.text).toContain('<title>start</title>');
    expect(start.headers['content-security-policy']).toContain("default-src 'none'; script-src 'self'");
    expect(start.headers['x-content-type-options']).toBe('nosniff');
    expect((await send('GET', '/other')).text).toContain('<title>other</title>');
    expect((await send('GET', '/assets')).status).toBe(404);
    const script = await send('GET', '/assets/app.js');
    expect(script.headers['content-type']).toBe('text/javascript; charset=utf-8');
    const again = await send('GET', '/', { headers: { 'If-None-Match': start.headers.etag ?? '' } });
    expect(again.status).toBe(304);
  });

  test('a line is logged for each request, with nothing of what it holds', async () => {
    logged.length = 0;
    const headers = { 'X-Stamp': 'stamp-value', 'User-Agent': 'agent-value' };
    const reply = await send('POST', `${sign}?query-value`, { body: '{"body":"body-value"}', headers });
    expect(logged).toHaveLength(1);
    expect(JSON.parse(logged[0] ?? '')).toMatchObject({
      ...{ level: 30, msg: 'request', method: 'POST', route: 'sign_raw_payload', status: 200, address: '127.0.0.1' },
      id: reply.headers['x-request-id'],
    });
    expect(logged[0]).not.toMatch(/-value/);
  });
});

describe('the log', () => {
  beforeAll(() => {
    released = serving(300);
  });
  /** Then the checkpoint that was asked for before is no longer good. */
  const later = () => sleep(510);

  test('the checkpoint is the one that was released, and nobody keeps it', async () => {
    const reply = await send('GET', '/log/checkpoint');
    expect([reply.status, reply.text]).toEqual([200, note(300)]);
    expect(reply.headers).toMatchObject({
      'content-type': 'text/plain; charset=utf-8',
      'cache-control': 'no-cache',
      'access-control-allow-origin': '*',
    });
  });

  test.each([...tiles.keys()].filter((path) => !path.endsWith('50')))('%s is there for good', async (path) => {
    const reply = await send('GET', `/log/${path}`);
    expect([reply.status, reply.text]).toEqual([200, path]);
    expect(reply.headers).toMatchObject({
      'content-type': 'application/octet-stream',
      'cache-control': 'public, max-age=31536000, immutable',
    });
    expect(await send('HEAD', `/log/${path}`)).toMatchObject({ status: 200, text: '' });
  });

  test.each([
    ['more than was released', 'tile/0/001.p/50'],
    ['a full tile that is not full', 'tile/0/001'],
    ['a tile beyond the log', 'tile/0/002.p/1'],
    ['a level beyond the log', 'tile/2/000.p/1'],
    ['an empty tile', 'tile/0/001.p/0'],
    ['a partial tile of full width', 'tile/0/000.p/256'],
    ['a number with zeros in front', 'tile/0/000.p/01'],
    ['an index with groups in front', 'tile/0/x000/000'],
    ['an index without its groups', 'tile/0/1000'],
    ['no index', 'tile/0/'],
    ['level 64', 'tile/64/000'],
    ['a level with zeros in front', 'tile/00/000'],
    ['a level that is no number', 'tile/data/000'],
    ['an encoded path', 'tile/0/%30%30%30'],
    ['another path', 'tiles'],
    ['nothing', ''],
  ])('%s: not found, and nobody keeps that', async (_, path) => {
    const reply = await send('GET', `/log/${path}`);
    expectStatus(reply, 404, 5);
    expect(reply.headers['cache-control']).toBe('no-store');
  });

  test('what was released of a log that is shorter now is not taken for released again', async () => {
    released = serving(290);
    await later();
    expect((await send('GET', '/log/checkpoint')).text).toBe(note(290));
    expectStatus(await send('GET', '/log/tile/0/001.p/40'), 404, 5);
    released = serving(300);
    await later();
    expect((await send('GET', '/log/tile/0/001.p/40')).status).toBe(200);
  });

  test('what the database lacks is unavailable, not absent', async () => {
    expect(expectStatus(await send('GET', '/log/tile/0/001.p/3'), 503, 14).message).toContain('lacks');
  });

  test('what was released once is served while the enclave is away; the checkpoint is not', async () => {
    await send('GET', '/log/checkpoint');
    released = () => {
      throw unavailable('the enclave is not running', 'ENCLAVE_UNAVAILABLE');
    };
    await later();
    expect((await send('GET', '/log/tile/0/000')).status).toBe(200);
    expect((await send('GET', '/log/checkpoint')).status).toBe(503);
    expect((await send('GET', '/log/tile/0/001.p/50')).status).toBe(503);
    released = serving(306);
    expect((await send('GET', '/log/tile/0/001.p/50')).status).toBe(200);
  });

  test('before the first checkpoint there is none', async () => {
    released = serving(null);
    await later();
    expectStatus(await send('GET', '/log/checkpoint'), 503, 14);
  });

  test('it is read, and nothing else', async () => {
    expect((await send('POST', '/log/checkpoint')).headers.allow).toBe('GET, HEAD');
  });
});

describe('limits per address', () => {
  const from = (address: string) =>
    send('POST', sign, { body: '{}', headers: { 'X-Forwarded-For': address }, to: limited });

  test('who asks too often is refused before the enclave hears of it, and told when to come back', async () => {
    const replies = [];
    for (let count = 0; count < 5; count++) replies.push(await from('192.0.2.1'));
    const refused = replies.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThanOrEqual(1);
    expect(requests).toHaveLength(5 - refused.length);
    expectStatus(refused[0] as Reply, 429, 8);
    expect(refused[0]?.headers['retry-after']).toBe('1');
    expect((await from('192.0.2.2')).status).toBe(200);
  });

  test('an address that the client made up does not help it', async () => {
    const replies = [];
    for (let count = 0; count < 5; count++) replies.push(await from(`198.51.100.${count}, 192.0.2.3, 10.1.1.1`));
    expect(replies.some(({ status }) => status === 429)).toBe(true);
  });
});

test('slow clients, large headers and silent connections are bounded', async () => {
  expect(server.headersTimeout).toBeLessThanOrEqual(10_000);
  expect(server.requestTimeout).toBeLessThanOrEqual(30_000);
  expect(server.keepAliveTimeout).toBe(65_000);
  const reply = await send('POST', sign, { body: '{}', headers: { 'X-Large': 'a'.repeat(40_000) } });
  expect(reply.status).toBe(431);
});
