/** What `api` makes of witnesses that answer otherwise than the protocol says. */
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { createWitnessCarrier } from '../../../src/api/witnesses.ts';

let server: Server;

afterEach(async () => {
  server.closeAllConnections();
  await once(server.close(), 'close');
});

async function carryTo(answer: (response: ServerResponse) => void) {
  server = createServer((request, response) => {
    request.resume();
    answer(response);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return createWitnessCarrier(async () => [])({ url, old: 0, size: 1, checkpoint: 'x\n1\n' });
}

test('an answer that does not end is not read to its end', async () => {
  let written = 0;
  let closed: Promise<unknown> = Promise.resolve();
  const found = await carryTo((response) => {
    closed = once(response, 'close');
    const chunk = Buffer.alloc(16 * 1024, 'x');
    const more = () => {
      while (!response.destroyed && response.write(chunk)) written += chunk.length;
    };
    response.on('drain', more);
    more();
  });
  expect(found).toEqual({ status: 0, body: 'the answer is too large' });
  await closed;
  expect(written).toBeLessThan(8 * 1024 * 1024);
});

test('a redirect is not followed', async () => {
  const found = await carryTo((response) => {
    response.writeHead(307, { location: 'http://127.0.0.1:1/' }).end();
  });
  expect(found).toEqual({ status: 307, body: '' });
});
