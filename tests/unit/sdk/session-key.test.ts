/** What session keys stamp; that a browser keeps them is tests/browser/session-key.test.ts. */
import { createPublicKey, randomBytes, verify } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createClient } from '../../../sdk/src/client.ts';
import type { KeyStore } from '../../../sdk/src/key-store.ts';
import {
  createSessionKey,
  deleteSessionKey,
  findSessionKey,
  type SessionKey,
  sessionStamper,
} from '../../../sdk/src/session-key.ts';
import { type EnclaveInMemory, startEnclave } from '../../support/enclave-in-memory.ts';
import { type EnclaveOverHttp, serveEnclave } from '../../support/enclave-over-http.ts';
import { createResident } from '../../support/resident.ts';

let enclave: EnclaveInMemory;
let service: EnclaveOverHttp;
beforeAll(async () => {
  enclave = await startEnclave();
  service = await serveEnclave(enclave.wire);
});
afterAll(() => {
  service.close();
  enclave.remove();
});

function memory(): KeyStore<SessionKey> {
  const keys = new Map<string, SessionKey>();
  return {
    get: async (name) => keys.get(name),
    put: async (name, key) => void keys.set(name, key),
    delete: async (name) => void keys.delete(name),
  };
}

test('the key cannot be read, and its stamps verify', async () => {
  const store = memory();
  for (let count = 0; count < 8; count++) {
    const { publicKey, privateKey } = await createSessionKey({ store });
    expect(publicKey).toMatch(/^0[23][0-9a-f]{64}$/);
    expect(privateKey.extractable).toBe(false);
    await expect(crypto.subtle.exportKey('jwk', privateKey)).rejects.toThrow();
    const { header, value } = await sessionStamper({ store })('{}');
    const stamp = JSON.parse(Buffer.from(value, 'base64url').toString()) as Record<string, string>;
    expect({ header, ...stamp }).toMatchObject({
      header: 'X-Stamp',
      publicKey,
      scheme: 'SIGNATURE_SCHEME_TK_API_P256',
    });
    const spki = Buffer.from(`3039301306072a8648ce3d020106082a8648ce3d030107032200${publicKey}`, 'hex');
    const key = createPublicKey({ key: spki, format: 'der', type: 'spki' });
    expect(verify('sha256', Buffer.from('{}'), key, Buffer.from(stamp.signature ?? '', 'hex'))).toBe(true);
  }
});

test('a session begins with one passkey stamp, stamps without a touch, and ends', async () => {
  const store = memory();
  const resident = await createResident(enclave.wire, enclave.parent, randomBytes(4).toString('hex'));
  const { organizationId, userId } = resident;
  const { baseUrl } = service;
  const user = createClient({ baseUrl, organizationId, stamp: resident.byPasskey.stamp });
  const session = createClient({ baseUrl, organizationId, stamp: sessionStamper({ store }) });
  await expect(session.getWhoami()).rejects.toThrow('createSessionKey');
  const { publicKey } = await createSessionKey({ store });
  await expect(session.getWhoami()).rejects.toMatchObject({ status: 401 });
  const { apiKeyIds } = await user.createApiKeys({
    userId,
    apiKeys: [{ apiKeyName: 'session', publicKey, curveType: 'API_KEY_CURVE_P256', expirationSeconds: '3600' }],
  });
  expect(await session.getWhoami()).toMatchObject({ userId });
  expect(await findSessionKey({ store, name: 'other' })).toBeUndefined();
  await session.deleteApiKeys({ userId, apiKeyIds });
  await expect(session.getWhoami()).rejects.toMatchObject({ status: 401 });
  await deleteSessionKey({ store });
  expect(await findSessionKey({ store })).toBeUndefined();
});

test('without IndexedDB it says what is missing', async () => {
  await expect(createSessionKey()).rejects.toThrow('IndexedDB');
});
