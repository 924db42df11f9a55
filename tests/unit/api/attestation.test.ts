/** `GET /attestation`: what reaches the enclave, and what does not. */
import { once } from 'node:events';
import type { Server } from 'node:http';
import { type AddressInfo, BlockList } from 'node:net';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createEnclaveClient, type EnclaveClient } from '../../../src/api/enclave-client.ts';
import { createServer } from '../../../src/api/http/server.ts';
import { createMetrics } from '../../../src/api/metrics.ts';
import type { ToEnclave } from '../../../src/protocol/messages.ts';
import { openFakeEnclave, socketPair } from './fake-enclave.ts';

let server: Server;
let client: EnclaveClient;
const asked: Extract<ToEnclave, { type: 'attest' }>[] = [];
let answer: (id: number) => void;

beforeAll(async () => {
  const [near, far] = await socketPair();
  const unused = () => Promise.reject(new Error('nobody asks for it here'));
  client = createEnclaveClient({
    stream: near,
    writer: { write: unused, lease: unused, trouble: () => null },
    addCheckpoint: unused,
    fetchRows: unused,
    noteDenial: async () => {},
    onNoteFailed: () => {},
    onFetchFailed: () => {},
    onEnd: () => {},
  });
  const enclave = openFakeEnclave(far);
  answer = (id) => enclave.send({ type: 'answer', id, status: 200, body: Buffer.from('{"bootId":"00"}') });
  server = createServer({
    enclave: client,
    health: unused,
    metrics: createMetrics(client.waiting),
    log: unused,
    pages: async () => false,
    publicUrl: null,
    logger: pino({ level: 'silent' }),
    rateLimit: null,
    proxies: new BlockList(),
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  void (async () => {
    for (;;) {
      const message = await enclave.next('attest');
      asked.push(message);
      if (message.nonce.length !== 64) answer(message.id);
    }
  })();
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
  client.close();
});

const get = (query: string) => fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/attestation${query}`);

test('a nonce reaches the enclave as bytes, its answer comes back as it is, for pages of any origin', async () => {
  const response = await get('?nonce=00FFa0');
  expect([response.status, await response.json()]).toEqual([200, { bootId: '00' }]);
  expect(Buffer.from(asked.at(-1)?.nonce ?? '').toString('hex')).toBe('00ffa0');
  expect(response.headers.get('access-control-allow-origin')).toBe('*');
  expect(response.headers.get('cache-control')).toBe('no-store');
  expect((await get('')).status).toBe(200);
  expect(asked.at(-1)?.nonce).toHaveLength(0);
});

test.each([
  '?nonce=',
  '?nonce=0',
  '?nonce=xx',
  '?nonce=0x00',
  '?nonce=00%00',
  `?nonce=${'00'.repeat(65)}`,
  '?nonce=00&nonce=01',
  '?nonce[]=00&nonce',
])('%s is refused, and does not reach the enclave', async (query) => {
  const before = asked.length;
  const response = await get(query);
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ code: 3, message: 'nonce: expected hex of 1 to 64 bytes' });
  expect(asked).toHaveLength(before);
});

test('who asks for many at a time is refused some, and is served again after', async () => {
  const nonce = 'ab'.repeat(64);
  const held = asked.length;
  const many = Array.from({ length: 20 }, () => get(`?nonce=${nonce}`));
  const refused = (await settled(many, 4)).map(({ status }) => status);
  expect(refused).toEqual([503, 503, 503, 503]);
  for (const { id } of asked.slice(held)) answer(id);
  expect((await Promise.all(many)).filter(({ status }) => status === 200)).toHaveLength(16);
  expect((await get('')).status).toBe(200);
});

/** The first `count` of `promises` that come. */
function settled<T>(promises: readonly Promise<T>[], count: number): Promise<T[]> {
  const first: T[] = [];
  return new Promise((resolve) => {
    for (const promise of promises) void promise.then((value) => first.push(value) === count && resolve(first));
  });
}
