/** Requests that a frontend stamps and a backend sends, against the whole enclave. */
import { randomBytes, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Client, createClient } from '../../../sdk/src/client.ts';
import { forward } from '../../../sdk/src/forward.ts';
import { checkLogin, stampLogin } from '../../../sdk/src/login.ts';
import type { Stamped } from '../../../sdk/src/send.ts';
import { type EnclaveInMemory, startEnclave } from '../../support/enclave-in-memory.ts';
import { type EnclaveOverHttp, serveEnclave } from '../../support/enclave-over-http.ts';
import { createResident, newPasskey, type Resident } from '../../support/resident.ts';
import { resultOf, submit } from '../../support/wire.ts';

let enclave: EnclaveInMemory;
let service: EnclaveOverHttp;
let baseUrl: string;
let resident: Resident;
/** Of the user, who does not know the own organization before the login. */
let user: Client;
beforeAll(async () => {
  enclave = await startEnclave();
  service = await serveEnclave(enclave.wire);
  baseUrl = service.baseUrl;
});
afterAll(() => {
  service.close();
  enclave.remove();
});
beforeEach(async () => {
  resident = await createResident(enclave.wire, enclave.parent, randomBytes(4).toString('hex'));
  // The frontend knows its backend alone.
  const { organizationId } = enclave.parent;
  user = createClient({ baseUrl: 'https://shop.example/api', organizationId, stamp: resident.byPasskey.stamp });
});

const overTheWire = (stamped: Stamped): Stamped => JSON.parse(JSON.stringify(stamped));

describe('client.stamp and forward', () => {
  const stampWallet = (walletName = 'Savings') =>
    user.stamp.createWallet({ walletName, organizationId: resident.organizationId });

  test('one stamps, the other one sends, and the answer is that of the method', async () => {
    const asked = service.received.length;
    const stamped = overTheWire(await stampWallet());
    expect(stamped.url).toBe('https://shop.example/api/public/v1/submit/create_wallet');
    expect(service.received).toHaveLength(asked);
    const { walletId, activity } = await forward(stamped, { baseUrl, method: 'createWallet' });
    expect(walletId).toMatch(/^[0-9a-f-]{36}$/);
    const { walletId: again } = (await forward(stamped, { baseUrl: `${baseUrl}/` })) as { walletId: string };
    expect(again).toBe(walletId);
    expect(activity.status).toBe('ACTIVITY_STATUS_COMPLETED');
  });

  test('what is sent again are the same bytes', async () => {
    const bodies: string[] = [];
    const flaky = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        bodies.push(`${request.url} ${request.headers['x-stamp-webauthn']} ${Buffer.concat(chunks)}`);
        if (bodies.length === 1) request.socket.destroy();
        else response.writeHead(200).end('{"wallets":[]}');
      });
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => flaky.once('listening', resolve));
    const stamped = await user.stamp.getWallets();
    const { port } = flaky.address() as AddressInfo;
    expect(await forward(stamped, { baseUrl: `http://127.0.0.1:${port}` })).toEqual({ wallets: [] });
    flaky.close();
    expect(bodies).toHaveLength(2);
    expect(bodies[0]).toBe(`/public/v1/query/list_wallets ${stamped.stamp.value} ${stamped.body}`);
    expect(new Set(bodies).size).toBe(1);
  });

  test('a changed body is refused by the service', async () => {
    const stamped = await stampWallet();
    const body = stamped.body.replace('Savings', 'Robbery');
    await expect(forward({ ...stamped, body }, { baseUrl })).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  test('another method than the backend expects is refused before it is sent', async () => {
    const asked = service.received.length;
    await expect(forward(await stampWallet(), { baseUrl, method: 'deleteWallets' })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      status: 400,
    });
    expect(service.received).toHaveLength(asked);
  });

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['no address', { url: undefined }],
    ['another path', { url: 'https://shop.example/admin' }],
    ['a path beyond', { url: 'https://shop.example/public/v1/submit/../../admin' }],
    ['a path with a question', { url: 'https://shop.example/public/v1/submit/create_wallet?x' }],
    ['no body', { body: 1 }],
    ['no stamp', { stamp: null }],
    ['another header', { stamp: { header: 'Cookie', value: 'a' } }],
    ['a line break in the stamp', { stamp: { header: 'X-Stamp', value: 'a\r\nCookie: b' } }],
    ['an endless stamp', { stamp: { header: 'X-Stamp', value: 'a'.repeat(8193) } }],
  ])('from a frontend that sends %s comes an error of its own', async (_, change) => {
    const given = change ? { ...(await stampWallet()), ...change } : change;
    await expect(forward(given as Stamped, { baseUrl })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      status: 400,
    });
  });
});

describe('login', () => {
  const login = (stamped: Stamped, nonce: string) =>
    checkLogin(overTheWire(stamped), { baseUrl, organizationId: enclave.parent.organizationId, nonce });
  const refused = { code: 'UNAUTHENTICATED', status: 401 };

  test('a stamp over the nonce of the backend says who it is', async () => {
    const nonce = randomUUID();
    expect(await login(await stampLogin(user, { nonce }), nonce)).toMatchObject({
      organizationId: resident.organizationId,
      userId: resident.userId,
    });
  });

  test('a replayed stamp does not log in: its nonce is another one', async () => {
    const stamped = await stampLogin(user, { nonce: randomUUID() });
    await expect(login(stamped, randomUUID())).rejects.toMatchObject(refused);
  });

  test('a changed nonce does not log in: the stamp is over the old one', async () => {
    const [old, nonce] = [randomUUID(), randomUUID()];
    const stamped = await stampLogin(user, { nonce: old });
    const body = stamped.body.replace(old, nonce);
    await expect(login({ ...stamped, body }, nonce)).rejects.toMatchObject(refused);
  });

  test.each(['', 'short', undefined])('the backend cannot leave the nonce out (%j)', async (nonce) => {
    const stamped = await user.stamp.getWhoami();
    await expect(login(stamped, nonce as string)).rejects.toMatchObject(refused);
  });

  test('another request with the nonce is no login', async () => {
    const nonce = randomUUID();
    const stamped = await user.stamp.getWallets({ nonce } as object);
    await expect(login(stamped, nonce)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    const url = stamped.url.replace('list_wallets', 'whoami');
    await expect(login({ ...stamped, url }, nonce)).rejects.toMatchObject(refused);
  });

  test('a stamp without a time is no login', async () => {
    const nonce = randomUUID();
    const body = JSON.stringify({ organizationId: enclave.parent.organizationId, query: 'whoami', nonce });
    const stamped = { url: '/public/v1/query/whoami', body, stamp: resident.byPasskey.stamp(body) };
    await expect(login(stamped, nonce)).rejects.toMatchObject(refused);
    await expect(login({ ...stamped, body: 'no JSON' }, nonce)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  test('a stamp of two hours ago is no login', async () => {
    const nonce = randomUUID();
    const { organizationId } = enclave.parent;
    const timestampMs = String(Date.now() - 7_200_000);
    const body = JSON.stringify({ organizationId, query: 'whoami', timestampMs, nonce });
    const stamped = { url: '/public/v1/query/whoami', body, stamp: resident.byPasskey.stamp(body) };
    await expect(login(stamped, nonce)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  test('neither a stranger nor a user of another company logs in', async () => {
    const nonce = randomUUID();
    const { organizationId } = enclave.parent;
    const stranger = createClient({ baseUrl, organizationId, stamp: newPasskey().stamp });
    await expect(login(await stampLogin(stranger, { nonce }), nonce)).rejects.toMatchObject({ status: 401 });
    const elsewhere = createClient({
      baseUrl,
      organizationId: resident.organizationId,
      stamp: resident.byPasskey.stamp,
    });
    await expect(login(await stampLogin(elsewhere, { nonce }), nonce)).rejects.toMatchObject(refused);
  });

  test('the company itself does not log in as a user', async () => {
    const nonce = randomUUID();
    const { organizationId, stamp } = enclave.parent;
    const company = createClient({ baseUrl, organizationId, stamp });
    await expect(login(await stampLogin(company, { nonce }), nonce)).rejects.toMatchObject(refused);
  });

  test('a user whose passkey was deleted does not log in', async () => {
    const nonce = randomUUID();
    const stamped = await stampLogin(user, { nonce });
    const { authenticators } = await createClient({
      baseUrl,
      organizationId: resident.organizationId,
      stamp: resident.byApiKey.stamp,
    }).getAuthenticators({ userId: resident.userId });
    const authenticatorIds = authenticators.map(({ authenticatorId }) => authenticatorId);
    const parameters = { userId: resident.userId, authenticatorIds };
    resultOf(
      await submit(enclave.wire, resident.byApiKey, 'delete_authenticators', 'DELETE_AUTHENTICATORS', parameters),
    );
    await expect(login(stamped, nonce)).rejects.toMatchObject({ status: 401 });
  });
});
