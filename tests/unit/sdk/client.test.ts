import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test, vi } from 'vitest';
import { createClient } from '../../../sdk/src/client.ts';
import type { Stamper } from '../../../sdk/src/stampers.ts';

const organizationId = '8f4c3a9e-58a4-4c0e-b6a9-0c1a2b3c4d5e';
const otherId = '11111111-58a4-4c0e-b6a9-0c1a2b3c4d5e';

type Received = { path: string; stamp: string | undefined; type: string | undefined; body: string };
type Reply = (response: ServerResponse, request: IncomingMessage, attempt: number) => void;

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A server that answers as `reply` says and keeps what it received. */
async function serve(reply: Reply) {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      const stamp = request.headers['x-stamp'] as string | undefined;
      received.push({ path: request.url ?? '', stamp, type: request.headers['content-type'], body });
      reply(response, request, received.length);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const stamp = vi.fn<Stamper>((body) => ({ header: 'X-Stamp', value: `stamp-${body.length}` }));
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { baseUrl, received, stamp, client: createClient({ baseUrl: `${baseUrl}/`, organizationId, stamp }) };
}

const json = (response: ServerResponse, status: number, body: unknown) =>
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));

const completed = (result: object) => ({ activity: { id: 'a', status: 'ACTIVITY_STATUS_COMPLETED', result } });

test('an activity is sent with its newest type, the time of the call, and its stamp', async () => {
  const { client, received } = await serve((response) =>
    json(response, 200, completed({ createSubOrganizationResultV8: { subOrganizationId: otherId } })),
  );
  const before = Date.now();
  const answer = await client.createSubOrganization({
    subOrganizationName: 'one',
    rootQuorumThreshold: 1,
    rootUsers: [],
  });
  expect(answer).toMatchObject({ subOrganizationId: otherId, activity: { id: 'a' } });
  const [request] = received as [Received];
  const body = JSON.parse(request.body) as Record<string, unknown>;
  expect(request).toMatchObject({
    path: '/public/v1/submit/create_sub_organization',
    type: 'application/json',
    stamp: `stamp-${request.body.length}`,
  });
  expect(body).toMatchObject({ type: 'ACTIVITY_TYPE_CREATE_SUB_ORGANIZATION_V8', organizationId });
  expect(body.parameters).toEqual({ subOrganizationName: 'one', rootQuorumThreshold: 1, rootUsers: [] });
  expect(Number(body.timestampMs)).toBeGreaterThanOrEqual(before);
  expect(Number(body.timestampMs)).toBeLessThanOrEqual(Date.now());
});

test('a query is flat, bound to its name and time, and any call may name another organization', async () => {
  const { client, received } = await serve((response) => json(response, 200, { wallets: [] }));
  expect(await client.getWallets({ organizationId: otherId })).toEqual({ wallets: [] });
  expect(await client.getWallets()).toEqual({ wallets: [] });
  await client.getUser({ userId: otherId, query: 'whoami', timestampMs: '0' } as { userId: string });
  const binding = (query: string) => ({ query, timestampMs: expect.stringMatching(/^\d{13}$/) });
  expect(received.map(({ path, body }) => [path, JSON.parse(body)])).toEqual([
    ['/public/v1/query/list_wallets', { organizationId: otherId, ...binding('list_wallets') }],
    ['/public/v1/query/list_wallets', { organizationId, ...binding('list_wallets') }],
    ['/public/v1/query/get_user', { organizationId, userId: otherId, ...binding('get_user') }],
  ]);
});

test('without an answer the same bytes are sent again, stamped once', async () => {
  const { client, received, stamp } = await serve((response, request, attempt) => {
    if (attempt === 1) request.socket.destroy();
    else if (attempt === 2) json(response, 503, { code: 14, message: 'starting', details: [] });
    else json(response, 200, completed({ createWalletResult: { walletId: 'w', addresses: [] } }));
  });
  expect(await client.createWallet({ walletName: 'one' })).toMatchObject({ walletId: 'w' });
  expect(received).toHaveLength(3);
  expect(new Set(received.map((each) => JSON.stringify(each))).size).toBe(1);
  expect(stamp).toHaveBeenCalledOnce();
});

test('a service that never answers is an error after three tries', async () => {
  const { client, received } = await serve((_, request) => request.socket.destroy());
  await expect(client.getWhoami()).rejects.toMatchObject({
    name: 'CountersignClientError',
    code: 'UNAVAILABLE',
    status: 0,
    message: expect.stringContaining('/public/v1/query/whoami'),
  });
  expect(received).toHaveLength(3);
});

test('a refusal has the code, message and details of the service and is not sent again', async () => {
  const details = [{ '@type': 'type.googleapis.com/errors.v1.TurnkeyErrorDetail', turnkeyErrorCode: 'X' }];
  const { client, received } = await serve((response) => json(response, 403, { code: 7, message: 'no', details }));
  await expect(client.createWallet({ walletName: 'one' })).rejects.toMatchObject({
    code: 'PERMISSION_DENIED',
    message: 'no',
    details,
    status: 403,
  });
  expect(received).toHaveLength(1);
});

test.each([
  ['a page of a proxy', 404, '<html>'],
  ['no object', 200, '"done"'],
])('%s is no answer of the service', async (_, status, text) => {
  const { client } = await serve((response) => response.writeHead(status).end(text));
  await expect(client.getWhoami()).rejects.toMatchObject({ code: 'UNKNOWN', status, details: [] });
});

test('an activity that waits for others has no result: it is an error that holds it', async () => {
  const activity = { id: 'a', status: 'ACTIVITY_STATUS_CONSENSUS_NEEDED', result: {} };
  const { client } = await serve((response) => json(response, 200, { activity }));
  await expect(client.createWallet({ walletName: 'one' })).rejects.toMatchObject({
    code: 'ACTIVITY_STATUS_CONSENSUS_NEEDED',
    details: [activity],
  });
});

test('what the stamper rejects with comes through', async () => {
  const declined = new Error('declined');
  const client = createClient({ baseUrl: 'http://127.0.0.1:1', organizationId, stamp: () => Promise.reject(declined) });
  await expect(client.getWhoami()).rejects.toBe(declined);
});

test('a client that is to know why asks for it with each activity, and no other does', async () => {
  const seen: unknown[] = [];
  const { baseUrl, stamp, client } = await serve((response, request) => {
    seen.push(request.headers['x-countersign-explain']);
    json(response, 403, { code: 7, message: 'denied', details: [{ explanation: { text: 'denied: …' } }] });
  });
  const asking = createClient({ baseUrl, organizationId, stamp, explainDenials: true });
  await expect(asking.createWallet({ walletName: 'one' })).rejects.toMatchObject({
    code: 'PERMISSION_DENIED',
    details: [{ explanation: { text: 'denied: …' } }],
  });
  await expect(asking.getWhoami()).rejects.toThrow('denied');
  await expect(client.createWallet({ walletName: 'one' })).rejects.toThrow('denied');
  expect(seen).toEqual(['1', undefined, undefined]);
});
