/**
 * Whatever comes in over HTTP, the answer is a `google.rpc.Status` of 4xx, or a closed connection where HTTP itself is
 * broken: never 5xx, HTML or a stack. Bytes are written to the socket as they stand here, since clients would mend them.
 */
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Service, startService } from '../support/service.ts';
import {
  type Caller,
  carryOut,
  createUser,
  ethereumAccount,
  payloadOf,
  prepareActivity,
  prepareQuery,
  send,
  signRawPayload,
  stamped,
  type User,
} from './requests.ts';

let service: Service;
let user: User;
/** What clients get to read who send a byte now and then, from the start of the service. */
let slow: Promise<string>[];
beforeAll(async () => {
  service = await startService({ env: { COUNTERSIGN_LOG_LEVEL: 'warn' } });
  user = await createUser(service.baseUrl, service.root);
  slow = Array.from({ length: 50 }, dripping);
});
afterAll(() => service?.stop());

// Nothing may end a process, nor what is signed for others.
afterEach(async () => {
  expect(service.output()).not.toMatch(/starting again|unexpected error/);
  const request = prepareActivity(user, signRawPayload, payloadOf(user.address, `still signs ${Math.random()}`));
  expect((await carryOut(service.baseUrl, request)).status).toBe('ACTIVITY_STATUS_COMPLETED');
});

type Reply = { status: number; headers: Map<string, string>; body: string };

/** Writes bytes to a new connection and reads until it ends or is quiet with a whole answer; null: closed without one. */
async function raw(...parts: (string | Buffer)[]): Promise<Reply | null> {
  const socket = connect(service.port, '127.0.0.1');
  const closed = new Promise((resolve) => socket.once('close', resolve));
  let received = Buffer.alloc(0);
  const { promise: answered, resolve } = Promise.withResolvers<void>();
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    received = Buffer.concat([received, chunk]);
    if (parse(received)) resolve();
  });
  for (const part of parts) socket.write(part);
  await Promise.race([closed, answered, sleep(8000)]);
  socket.destroy();
  return parse(received) ?? null;
}

function parse(received: Buffer): Reply | undefined {
  const text = received.toString('latin1');
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [first = '', ...lines] = text.slice(0, end).split('\r\n');
  const headers = new Map(
    lines.map((line) => [line.split(':')[0]?.toLowerCase() ?? '', line.replace(/^[^:]*:\s*/, '')]),
  );
  const body = received.subarray(end + 4);
  const length = Number(headers.get('content-length') ?? 0);
  if (body.length < length) return undefined;
  return { status: Number(first.split(' ')[1]), headers, body: body.toString() };
}

const signPath = '/public/v1/submit/sign_raw_payload';

/** A POST with the headers that matter; `more` are further lines. */
function post(
  path: string,
  body: string | Buffer,
  headers: Readonly<Record<string, string>> = {},
): (string | Buffer)[] {
  const all = {
    Host: 'localhost',
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(body),
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return [`POST ${path} HTTP/1.1\r\n${lines.join('')}\r\n`, body];
}

/** A stamped POST: what is wrong with it is not the stamp. */
const stampedPost = (body: string, path = signPath, caller: Caller = user) => {
  const { headers } = stamped(caller, path, body);
  return post(path, body, headers);
};

function expectStatus(reply: Reply | null, status?: number): { message: string; text: string } {
  if (!reply) throw new Error('the connection was closed without an answer');
  expect(reply.status, reply.body).toBeGreaterThanOrEqual(400);
  expect(reply.status, reply.body).toBeLessThan(500);
  if (status !== undefined) expect(reply.status, reply.body).toBe(status);
  expect(reply.headers.get('content-type')).toBe('application/json');
  const body = JSON.parse(reply.body) as { code: number; message: string; details: unknown[] };
  expect(Object.keys(body)).toEqual(['code', 'message', 'details']);
  expect(body.code).toBeGreaterThan(0);
  expect(body.message).toMatch(/\S/);
  expect(Array.isArray(body.details)).toBe(true);
  expect(reply.body).not.toMatch(/\bat .*\.ts:|node_modules|<html/i);
  return { message: body.message, text: reply.body };
}

const envelope = (changes: object = {}) => ({
  type: signRawPayload,
  timestampMs: String(Date.now()),
  organizationId: user.organizationId,
  parameters: payloadOf(user.address, 'x'),
  ...changes,
});

const body = (changes: object = {}) => JSON.stringify(envelope(changes));
/** The body with a piece of raw JSON as `parameters.payload`. */
const withPayload = (json: string) =>
  body({ parameters: { ...payloadOf(user.address, 'x'), payload: '@' } }).replace('"@"', json);

describe('bodies', () => {
  test.each<[string, () => string]>([
    ['empty', () => ''],
    ['white space', () => ' \n'],
    ['no JSON', () => 'type=ACTIVITY'],
    ['a string', () => '"x"'],
    ['a number', () => '1'],
    ['null', () => 'null'],
    ['a list', () => '[]'],
    ['cut off', () => body().slice(0, -1)],
    ['with something after it', () => `${body()}{}`],
    ['with a byte order mark', () => `\ufeff${body()}`],
    ['with a comment', () => body().replace('{', '{/**/')],
    ['with a trailing comma', () => body().replace(/\}$/, ',}')],
    ['deep lists', () => withPayload(`${'['.repeat(50_000)}${']'.repeat(50_000)}`)],
    ['deep objects', () => withPayload(`${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`)],
    ['deep beside the parameters', () => body().replace(/\}$/, `,"x":${'['.repeat(1000)}${']'.repeat(1000)}}`)],
    ['1e999', () => withPayload('1e999')],
    ['-1e999', () => withPayload('-1e999')],
    ['a number of 400,000 digits', () => withPayload('9'.repeat(400_000))],
    ['a number beyond 2^53', () => withPayload('9007199254740993')],
    ['NaN', () => withPayload('NaN')],
    ['a lone surrogate', () => withPayload('"\\ud800"')],
    ['a lone surrogate as a name', () => body().replace(/\}$/, ',"\\udfff":1}')],
    ['a control character', () => withPayload('"\u0001"')],
    ['NUL as it is', () => withPayload('"\u0000"')],
    ['a name given twice', () => body().replace('{', `{"organizationId":"${user.organizationId}",`)],
    ['a name given twice inside', () => body().replace('"payload"', '"payload":"00","payload"')],
    ['a name given twice, once escaped', () => body().replace('"payload"', '"p\\u0061yload":"00","payload"')],
  ])('%s', async (_, make) => {
    expectStatus(await raw(...stampedPost(make())), 400);
  });

  test('no UTF-8', async () => {
    const bytes = Buffer.concat([Buffer.from(body().slice(0, -1)), Buffer.from(',"x":"\xff\xfe"}', 'latin1')]);
    const { headers } = stamped(user, signPath, bytes.toString('latin1'));
    expectStatus(await raw(...post(signPath, bytes, headers)), 400);
  });

  test('as large as they may be are read, one byte more is refused, as are 10 MB', async () => {
    const full = body({ padding: '' });
    const padded = (size: number) => full.replace('"padding":""', `"padding":"${'x'.repeat(size - full.length)}"`);
    const largest = await raw(...stampedPost(padded(1024 * 1024)));
    expect(largest?.status).toBe(200);
    for (const size of [1024 * 1024 + 1, 10_000_000]) {
      expectStatus(await raw(...stampedPost(padded(size))), 413);
    }
  });

  test('a payload as long as the body allows is signed', async () => {
    const { status } = await send(
      service.baseUrl,
      prepareActivity(user, signRawPayload, { ...payloadOf(user.address, ''), payload: 'ab'.repeat(500_000) }),
    );
    expect(status).toBe(200);
  });

  test('NUL in names and texts is refused or kept, never cut', async () => {
    const request = prepareActivity(user, 'ACTIVITY_TYPE_CREATE_WALLET', { walletName: 'a\0b', accounts: [] });
    expect((await send(service.baseUrl, request)).status).toBe(400);
    const address = prepareActivity(user, signRawPayload, payloadOf(`${user.address}\0`, 'x'));
    expect((await send(service.baseUrl, address)).status).toBeLessThan(500);
  });
});

describe('the envelope', () => {
  const wrong = [null, 1, true, '', 'x', [], {}, ['x'], '\0', -1, 0.5];
  const fields = ['type', 'timestampMs', 'organizationId', 'parameters'];
  test.each(fields.flatMap((field) => [undefined, ...wrong].map((value) => [field, value] as const)))(
    '%s: %j',
    async (field, value) => {
      const { text } = expectStatus(await raw(...stampedPost(body({ [field]: value }))), 400);
      // Of the parameters a field of theirs is what is missing.
      expect(text).toContain(field);
    },
  );

  test.each([
    ['long ago', () => String(Date.now() - 3_600_001)],
    ['far ahead', () => String(Date.now() + 400_000)],
    ['a number', () => Date.now()],
    ['in exponents', () => '1e12'],
    ['negative', () => `-${Date.now()}`],
    ['with many digits', () => '9'.repeat(300)],
    ['in other digits', () => '１２３'],
  ])('timestampMs %s', async (_, time) => {
    const { text } = expectStatus(await raw(...stampedPost(body({ timestampMs: time() }))), 400);
    expect(text).toContain('timestampMs');
  });

  test('an unknown type, one of another path, one that Object has', async () => {
    for (const type of [
      'ACTIVITY_TYPE_NOTHING',
      'ACTIVITY_TYPE_CREATE_WALLET',
      '__proto__',
      'constructor',
      'toString',
    ]) {
      expect(expectStatus(await raw(...stampedPost(body({ type }))), 400).text).toContain('"field":"type"');
    }
  });

  test('an organization that does not exist', async () => {
    const organizationId = '00000000-0000-4000-8000-000000000000';
    expectStatus(await raw(...stampedPost(body({ organizationId }))), 404);
  });

  test('unknown fields beside the parameters are ignored', async () => {
    const extra = { generateAppProofs: true, __proto__x: 1, other: { deep: [1, null] } };
    expect((await raw(...stampedPost(body(extra))))?.status).toBe(200);
    expect((await raw(...stampedPost(body().replace('{', '{"__proto__":{"type":"x"},"constructor":1,'))))?.status).toBe(
      200,
    );
  });

  test.each(['extra', '__proto__', 'constructor', 'toString', 'hasOwnProperty', 'prototype', ''])(
    'an unknown field `%s` inside the parameters is refused by name',
    async (name) => {
      const text = body().replace('"signWith"', `${JSON.stringify(name)}:{"signWith":"x"},"signWith"`);
      const refused = expectStatus(await raw(...stampedPost(text)), 400);
      expect(refused.text).toContain(`"field":"parameters${name && `.${name}`}"`);
    },
  );

  test('unknown fields deep inside are refused with their path', async () => {
    const parameters = { walletName: 'w', accounts: [ethereumAccount(), { ...ethereumAccount(), wish: 1 }] };
    const text = body({ type: 'ACTIVITY_TYPE_CREATE_WALLET', parameters });
    const refused = expectStatus(await raw(...stampedPost(text, '/public/v1/submit/create_wallet')), 400);
    expect(refused.text).toContain('"field":"parameters.accounts.1.wish"');
    expect(refused.message).toContain('unknown field');
  });

  test('null is absent', async () => {
    const parameters = { walletName: `null ${Date.now()}`, accounts: [], mnemonicLength: null, unknown: null };
    const request = prepareActivity(user, 'ACTIVITY_TYPE_CREATE_WALLET', parameters);
    expect(await send(service.baseUrl, request)).toMatchObject({ status: 200 });
    const without = prepareActivity(user, 'ACTIVITY_TYPE_CREATE_WALLET', { walletName: null, accounts: [] });
    expect((await send(service.baseUrl, without)).status).toBe(400);
    const query = prepareQuery(user, 'list_activities', { filterByStatus: null, paginationOptions: null });
    expect(await send(service.baseUrl, query)).toMatchObject({ status: 200 });
  });

  test.each<[string, unknown]>([
    ['list_activities', { paginationOptions: { limit: -1 } }],
    ['list_activities', { paginationOptions: { limit: '1e3' } }],
    ['list_activities', { paginationOptions: { before: 'x' } }],
    ['list_activities', { paginationOptions: 1 }],
    ['list_activities', { filterByStatus: ['x'] }],
    ['list_activities', { filterByType: 'x' }],
    ['get_activity', { activityId: 'x' }],
    ['get_activity', {}],
    ['get_wallet', { walletId: {} }],
    ['get_user', { userId: '00000000-0000-4000-8000-000000000000' }],
    ['list_suborgs', { filterType: 'x', filterValue: {} }],
    ['whoami', { organizationId: 'x' }],
    ['whoami', { organizationId: { toString: 1 } }],
  ])('query %s with %j', async (name, changes) => {
    const text = JSON.stringify({ organizationId: user.organizationId, ...(changes as object) });
    expectStatus(await raw(...stampedPost(text, `/public/v1/query/${name}`)));
  });
});

describe('methods and paths', () => {
  test.each(['GET', 'PUT', 'DELETE', 'PATCH'])('%s of an endpoint', async (method) => {
    const reply = await raw(`${method} ${signPath} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
    expect(reply?.headers.get('allow')).toBe('POST');
    expectStatus(reply, 405);
  });

  test.each([
    '/nothing',
    '/public',
    '/public/v1/submit',
    '/public/v1/submit/',
    '/public/v1/submit/nothing',
    '/public/v1/query/nothing',
    '/public/v1/query/sign_raw_payload',
    '/public/v1/submit/whoami',
    '/public/v1/submit/sign_raw_payload/',
    '/public/v1/submit/SIGN_RAW_PAYLOAD',
    '/public/v1/submit/__proto__',
    '/public/v1/query/constructor',
    '/public/v1/submit/%2e%2e/query/whoami',
    '/public/v1/submit/..%2fsign_raw_payload',
    '/public/v1/submit/../submit/sign_raw_payload',
    '/public/v1/submit/./sign_raw_payload',
    '/public/v1/submit%2fsign_raw_payload',
    '/public/v1/submit//sign_raw_payload',
    '//public/v1/submit/sign_raw_payload',
    '/public/v2/submit/sign_raw_payload',
    '/public/v1/submit/sign_raw_payload%00',
    '/public/v1/submit/%',
    '/public/v1/submit/sign_raw_payload;x=1',
    '/..%2f..%2fetc/passwd',
    '/../../etc/passwd',
    '/style.css/../../settings.ts',
    `/${'a'.repeat(8000)}`,
    '*',
  ])('POST %s', async (path) => {
    expectStatus(await raw(...stampedPost(body(), path)));
  });

  test.each(['/../../etc/passwd', '/%2e%2e/%2e%2e/package.json', '/..\\package.json', '/index.html%00', '/%'])(
    'GET %s',
    async (path) => {
      expectStatus(await raw(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`), 404);
    },
  );

  test('a query string changes nothing', async () => {
    expect((await raw(...stampedPost(body(), `${signPath}?organizationId=other&x=%zz`)))?.status).toBe(200);
  });
});

describe('stamps', () => {
  const good = () => body({ parameters: payloadOf(user.address, `${Math.random()}`) });
  const stampOf = (text: string) => stamped(user, signPath, text).headers['X-Stamp-Webauthn'] as string;

  test.each<[string, (text: string) => Record<string, string>]>([
    ['none', () => ({})],
    ['an empty one', () => ({ 'X-Stamp-Webauthn': '' })],
    ['no JSON', () => ({ 'X-Stamp-Webauthn': 'x' })],
    ['a list', () => ({ 'X-Stamp-Webauthn': '[]' })],
    ['null', () => ({ 'X-Stamp-Webauthn': 'null' })],
    ['deep', () => ({ 'X-Stamp-Webauthn': '['.repeat(8000) })],
    ['of 10 KB', () => ({ 'X-Stamp-Webauthn': 'x'.repeat(10_240) })],
    ['X-Stamp of 10 KB', () => ({ 'X-Stamp': 'x'.repeat(10_240) })],
    ['X-Stamp that is no base64url', () => ({ 'X-Stamp': '{"publicKey":1}' })],
    ['X-Stamp without fields', () => ({ 'X-Stamp': Buffer.from('{}').toString('base64url') })],
    [
      'X-Stamp with __proto__',
      () => ({ 'X-Stamp': Buffer.from('{"__proto__":{"scheme":"x"}}').toString('base64url') }),
    ],
    ['both headers', (text) => ({ 'X-Stamp': 'x', 'X-Stamp-Webauthn': stampOf(text) })],
    ['of other bytes', () => ({ 'X-Stamp-Webauthn': stampOf('{}') })],
    [
      'with numbers for fields',
      (text) => ({ 'X-Stamp-Webauthn': stampOf(text).replace(/"signature":"[^"]*"/, '"signature":1') }),
    ],
    ['with a field twice', (text) => ({ 'X-Stamp-Webauthn': stampOf(text).replace('{', '{"signature":"AA",') })],
  ])('%s', async (_, headersOf) => {
    const text = good();
    const { message } = expectStatus(await raw(...post(signPath, text, headersOf(text))));
    expect(message).toMatch(/stamp|header|credential|signature|key/i);
  });

  test('the same header twice', async () => {
    const text = good();
    const [head, content] = post(signPath, text, { 'X-Stamp-Webauthn': stampOf(text) }) as [string, string];
    const twice = head.replace(/(X-Stamp-Webauthn: .*\r\n)/, '$1$1');
    expectStatus(await raw(twice, content), 401);
  });
});

describe('HTTP', () => {
  test('a chunked body is as good as any', async () => {
    const text = body({ parameters: payloadOf(user.address, 'chunked') });
    const { headers } = stamped(user, signPath, text);
    const [head] = post(signPath, text, headers) as [string];
    const half = text.length >> 1;
    const chunk = (part: string) => `${part.length.toString(16)}\r\n${part}\r\n`;
    const chunked = head.replace(/Content-Length: \d+/, 'Transfer-Encoding: chunked');
    const reply = await raw(chunked, chunk(text.slice(0, half)), chunk(text.slice(half)), '0\r\n\r\n');
    expect(reply?.status).toBe(200);
  });

  test('an endless chunked body is refused', async () => {
    const head = `POST ${signPath} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n`;
    const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`;
    // Who sends on for long may not get to read the answer.
    const reply = await raw(head, ...Array.from({ length: 400 }, () => chunk));
    if (reply) expectStatus(reply, 413);
  });

  test.each(['gzip', 'br', 'deflate', 'x'])('Content-Encoding %s is refused', async (coding) => {
    const text = body();
    const { headers } = stamped(user, signPath, text);
    const content = coding === 'gzip' ? gzipSync(text) : Buffer.from(text);
    expectStatus(await raw(...post(signPath, content, { ...headers, 'Content-Encoding': coding })), 415);
  });

  test('a Content-Length that is too short: the rest is no second request', async () => {
    const text = body();
    const { headers } = stamped(user, signPath, text);
    const reply = await raw(...post(signPath, text, { ...headers, 'Content-Length': '10' }));
    expectStatus(reply, 400);
  });

  test('a Content-Length that is too long, and the end of the connection', async () => {
    const socket = connect(service.port, '127.0.0.1');
    for (const part of post(signPath, '{}', { 'Content-Length': '1000' })) socket.write(part);
    socket.end();
    const reply = await readAll(socket);
    expect(reply).not.toMatch(/^HTTP\/1\.1 [25]/);
  });

  test.each<[string, string]>([
    ['two lengths', 'Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}'],
    ['length and chunked', 'Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}'],
    ['a length that is no number', 'Content-Length: x\r\n\r\n{}'],
    ['a negative length', 'Content-Length: -1\r\n\r\n{}'],
    ['an unknown transfer coding', 'Transfer-Encoding: gzip\r\n\r\n{}'],
    ['a broken chunk', 'Transfer-Encoding: chunked\r\n\r\nzz\r\n{}'],
    ['a header without a colon', 'Content-Length\r\n\r\n'],
    ['a header with a line break', 'X-Stamp: a\n b\r\n\r\n'],
    ['NUL in a header', 'X-Stamp: a\0b\r\n\r\n'],
    ['a header of 100 KB', `X-Long: ${'x'.repeat(100_000)}\r\n\r\n`],
    ['5000 headers', `${'X-Many: x\r\n'.repeat(5000)}\r\n`],
  ])('broken: %s', async (_, rest) => {
    expectStatus(await raw(`POST ${signPath} HTTP/1.1\r\nHost: localhost\r\n${rest}`));
  });

  test.each([
    '',
    'GARBAGE\r\n\r\n',
    'GET / HTTP/9.9\r\n\r\n',
    '\x16\x03\x01\x02\x00\x01\x00\x01',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  ])('no HTTP: %j', async (bytes) => {
    const socket = connect(service.port, '127.0.0.1');
    socket.end(bytes);
    const reply = await readAll(socket);
    expect(reply).toMatch(/^(?:HTTP\/1\.1 4\d\d |$)/);
  });

  test('a body that comes slowly is waited for', async () => {
    const text = body({ parameters: payloadOf(user.address, 'slow') });
    const { headers } = stamped(user, signPath, text);
    const socket = connect(service.port, '127.0.0.1');
    const [head] = post(signPath, text, { ...headers, Connection: 'close' }) as [string];
    socket.write(head);
    const step = Math.ceil(text.length / 20);
    for (let at = 0; at < text.length; at += step) {
      socket.write(text.slice(at, at + step));
      await sleep(50);
    }
    expect(await readAll(socket)).toMatch(/^HTTP\/1\.1 200 /);
  });
});

describe('fuzz', () => {
  const place = fc.double({ min: 0, max: 1, noNaN: true });
  const piece = fc.constantFrom(
    '"',
    '\\',
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '0',
    '-',
    'e',
    '\0',
    'ÿ',
    '\ud800',
    ' ',
    'null',
  );
  const odd = fc.constantFrom('__proto__', '', '0x', 'm/', -1, 1e21, 0.5, 2 ** 53, null, true, [], {}, [[]], { a: 1 });
  type Mutation = (text: string) => string;
  const insertion = fc.tuple(place, fc.oneof(piece, fc.string(), fc.json())).map(([at, added]): Mutation => {
    return (text) => text.slice(0, at * text.length) + added + text.slice(at * text.length);
  });
  const removal = fc.tuple(place, fc.integer({ min: 1, max: 30 })).map(([at, length]): Mutation => {
    return (text) => text.slice(0, at * text.length) + text.slice(at * text.length + length);
  });
  /** Puts another value in the place of one, so that what comes out is still JSON. */
  const replacement = fc.tuple(fc.nat(), fc.oneof(odd, fc.jsonValue())).map(([which, value]): Mutation => {
    return (text) => {
      const values = [...text.matchAll(/(?<=[:[,])(?:"(?:[^"\\]|\\.)*"(?!:)|\d+)/g)];
      const found = values[which % Math.max(values.length, 1)];
      if (!found) return text;
      return text.slice(0, found.index) + JSON.stringify(value) + text.slice(found.index + found[0].length);
    };
  });
  const mutation = fc.oneof(insertion, removal, { arbitrary: replacement, weight: 8 });
  const mutations = fc.array(mutation, { minLength: 1, maxLength: 3 });

  const requests = (): readonly (readonly [string, object])[] => [
    [signPath, envelope()],
    [signPath, envelope({ parameters: { ...payloadOf(user.address, ''), ...typedData } })],
    ['/public/v1/submit/create_wallet', envelope({ type: 'ACTIVITY_TYPE_CREATE_WALLET', parameters: wallet })],
    [
      '/public/v1/submit/sign_transaction',
      envelope({ type: 'ACTIVITY_TYPE_SIGN_TRANSACTION_V2', parameters: transaction() }),
    ],
    [
      '/public/v1/submit/create_users',
      envelope({ type: 'ACTIVITY_TYPE_CREATE_USERS_V4', parameters: { users: [newUser] } }),
    ],
    ['/public/v1/query/list_activities', { organizationId: user.organizationId, ...page }],
  ];
  const typedData = {
    encoding: 'PAYLOAD_ENCODING_EIP712',
    hashFunction: 'HASH_FUNCTION_NO_OP',
    payload: JSON.stringify({
      domain: { chainId: 1 },
      types: { A: [{ name: 'b', type: 'uint8[2][]' }] },
      primaryType: 'A',
      message: { b: [['1', 2]] },
    }),
  };
  const wallet = { walletName: 'w', accounts: [ethereumAccount()], mnemonicLength: 12 };
  const transaction = () => ({
    signWith: user.address,
    unsignedTransaction: '02e801808459682f008509d4ae542e8252089440f008f4c17075efca092ae650655f6693aeced00180c0',
    type: 'TRANSACTION_TYPE_ETHEREUM',
  });
  const newUser = {
    userName: 'u',
    apiKeys: [{ apiKeyName: 'k', publicKey: `02${'11'.repeat(32)}`, curveType: 'API_KEY_CURVE_P256' }],
    authenticators: [],
    oauthProviders: [],
    userTags: [],
  };
  const page = { filterByStatus: ['ACTIVITY_STATUS_COMPLETED'], paginationOptions: { limit: '3' } };

  test('mutations of stamped requests never give 5xx', async () => {
    let understood = 0;
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: 5 }), mutations, async (index, changes) => {
        const [path, content] = requests()[index] as readonly [string, object];
        const text = changes.reduce((before, change) => change(before), JSON.stringify(content)).toWellFormed();
        const { status, body: answer } = await send(service.baseUrl, stamped(user, path, text));
        if (!JSON.stringify(answer).includes('(line ')) understood++;
        expect(status, `${path} ${text}\n${JSON.stringify(answer)}`).toBeLessThan(500);
        if (status !== 200) expect(answer).toMatchObject({ code: expect.any(Number), details: expect.any(Array) });
      }),
      { numRuns: 500, endOnFailure: true },
    );
    // Many get past the reader of JSON.
    expect(understood).toBeGreaterThan(100);
  });
});

test('clients that never finish are cut off', async () => {
  for (const reply of await Promise.all(slow))
    expect(reply).toMatch(/^HTTP\/1\.1 408 [\s\S]*"expected the whole request sooner"/);
});

function dripping(): Promise<string> {
  const socket = connect(service.port, '127.0.0.1');
  socket.write(post(signPath, 'x'.repeat(1000))[0] as string);
  const drip = setInterval(() => socket.write('x'), 500);
  socket.once('close', () => clearInterval(drip));
  return readAll(socket);
}

function readAll(socket: ReturnType<typeof connect>): Promise<string> {
  let text = '';
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
  });
  return new Promise((resolve) => socket.once('close', () => resolve(text)));
}
