import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { getQuote } from '../../../../src/enclave/dstack/agent.ts';
import { dstack } from '../../../../src/enclave/sealing/dstack.ts';
import { SealingError } from '../../../../src/enclave/sealing/provider.ts';
import { type DstackAgent, startDstackAgent } from '../../../support/dstack-agent.ts';

const rootKey = randomBytes(32);

describe('with an agent', () => {
  let agent: DstackAgent;
  beforeAll(async () => {
    agent = await startDstackAgent('our application');
  });
  afterAll(() => agent.stop());

  test('the root key opens, and the agent is asked as its API says', async () => {
    const sealed = await dstack(agent.socket).seal(rootKey);
    agent.asked.length = 0;
    expect(await dstack(agent.socket).unseal(sealed)).toEqual(rootKey);
    expect(agent.asked).toEqual([
      {
        method: 'POST',
        path: '/GetKey',
        type: 'application/json',
        body: { path: sealed.path, purpose: 'sealing', algorithm: 'secp256k1' },
      },
    ]);
    expect(sealed.path).toMatch(/^countersign\/root\/[0-9a-f]{32}$/);
    expect((await dstack(agent.socket).seal(rootKey)).path).not.toBe(sealed.path);
  });

  test('another application does not open it', async () => {
    const sealed = await dstack(agent.socket).seal(rootKey);
    const other = await startDstackAgent('another application');
    await expect(dstack(other.socket).unseal(sealed)).rejects.toThrow('another app id');
    await other.stop();
  });

  test('altered anywhere it is refused', async () => {
    const sealed = await dstack(agent.socket).seal(rootKey);
    const wrapped = sealed.wrapped as Buffer;
    for (let at = 0; at < wrapped.length; at++) {
      const altered = Buffer.from(wrapped);
      altered[at] = (altered[at] as number) ^ 0x80;
      await expect(dstack(agent.socket).unseal({ ...sealed, wrapped: altered })).rejects.toThrow(SealingError);
    }
    const { path } = await dstack(agent.socket).seal(rootKey);
    for (const change of [
      { path: path as string },
      { path: 1 },
      { wrapped: wrapped.subarray(1) },
      { wrapped: 'x' },
      { wrapped: null },
    ]) {
      await expect(dstack(agent.socket).unseal({ ...sealed, ...change })).rejects.toThrow(SealingError);
    }
  });

  test('a quote is over the report data', async () => {
    const reportData = randomBytes(64);
    const { quote, eventLog, vmConfig } = await getQuote(agent.socket, reportData);
    expect(quote.subarray(-64)).toEqual(reportData);
    expect([eventLog, vmConfig]).toEqual(['[]', '{}']);
  });
});

describe('an agent that answers', () => {
  let agent: DstackAgent | undefined;
  afterEach(async () => {
    await agent?.stop();
    agent = undefined;
  });
  const key = 'ab'.repeat(32);
  const json = (value: unknown) => (response: ServerResponse) => void response.end(JSON.stringify(value));
  const cases: [string, (response: ServerResponse) => void, string][] = [
    ['a short key', json({ key: key.slice(2) }), 'key is not 32 bytes'],
    ['a long key', json({ key: `${key}00` }), 'key is not 32 bytes'],
    ['a key in upper case', json({ key: key.toUpperCase() }), 'key is not 32 bytes'],
    ['a key that is no text', json({ key: [...Buffer.from(key, 'hex')] }), 'key is not 32 bytes'],
    ['no key', json({}), 'key is not 32 bytes'],
    ['null', json(null), 'no JSON object'],
    ['text', json('text'), 'no JSON object'],
    ['no JSON', (response) => void response.end('<html>'), 'no JSON object'],
    ['nothing', (response) => void response.end(), 'no JSON object'],
    [
      'an error',
      (response) => {
        response.writeHead(500);
        response.end(JSON.stringify({ key }));
      },
      'status 500',
    ],
    [
      'without an end',
      (response) => {
        response.on('error', () => {});
        const chunk = Buffer.alloc(64 * 1024, 0x20);
        const more = () => response.destroyed || response.write(chunk, () => setImmediate(more));
        more();
      },
      'at most 1048576 bytes',
    ],
    ['and hangs up', (response) => void response.destroy(), 'ECONNRESET'],
    [
      'half and hangs up',
      (response) => {
        response.writeHead(200, { 'Content-Length': 100 });
        response.write(`{"key":"${key}`, () => response.destroy());
      },
      'in one piece',
    ],
  ];

  test.each(cases)('%s is refused, without a word of the key', async (_, answer, message) => {
    agent = await startDstackAgent('any', (_path, _body, response) => answer(response));
    const refusal: unknown = await dstack(agent.socket)
      .seal(rootKey)
      .catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(SealingError);
    expect((refusal as Error).message).toContain(message);
    expect((refusal as Error).message).not.toContain(key.slice(0, 16));
  });
});

test.each([
  [undefined, 'COUNTERSIGN_DSTACK_SOCKET: expected'],
  ['/nowhere/dstack.sock', 'cannot be asked for /GetKey (ENOENT); check that the service runs in a dstack VM'],
])('without an agent (%s) it says what to set', async (socket, message) => {
  await expect(dstack(socket).seal(rootKey)).rejects.toThrow(message);
});
