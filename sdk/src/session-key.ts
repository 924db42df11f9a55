/**
 * Sessions: API keys that a browser makes and keeps. WebCrypto holds the private key and gives it to nobody, not even to the
 * page; IndexedDB keeps it over reloads. A script on the page can use it while it runs there, and cannot take it along.
 */
import { base16 } from '@scure/base';
import { type KeyStore, openKeyStore } from './key-store.ts';
import { algorithm, type Key, stampWithKey } from './p256-stamp.ts';
import type { Stamper } from './stampers.ts';

export type SessionOptions = {
  /** Which of several sessions of this origin; `session` where absent. */
  readonly name?: string;
  /** Where keys are kept, instead of IndexedDB. */
  readonly store?: KeyStore<SessionKey>;
};

/** `publicKey` is the compressed point in hex, as `createApiKeys` takes it. */
export type SessionKey = { readonly publicKey: string; readonly privateKey: Key };

/**
 * Makes a P-256 key in place of the one before, and keeps it. It is good for nothing until the user adds it to the own
 * credentials:
 *
 * ```ts
 * const { publicKey } = await createSessionKey();
 * const key = { apiKeyName: 'session', publicKey, curveType: 'API_KEY_CURVE_P256', expirationSeconds: '3600' };
 * await client.createApiKeys({ userId, apiKeys: [key] });
 * const session = createClient({ baseUrl, organizationId, stamp: sessionStamper() });
 * ```
 */
export async function createSessionKey(options: SessionOptions = {}): Promise<SessionKey> {
  const pair = await crypto.subtle.generateKey(algorithm, false, ['sign', 'verify']);
  const point = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey));
  const key = { publicKey: compress(point), privateKey: pair.privateKey };
  const { name, store } = settings(options);
  await store.put(name, key);
  return key;
}

/** The key that is kept; undefined where there is none. Whether the service still takes it only the service knows. */
export function findSessionKey(options: SessionOptions = {}): Promise<SessionKey | undefined> {
  const { name, store } = settings(options);
  return store.get(name);
}

/** Forgets the key, as at a log-out; `deleteApiKeys` makes the service forget it too. */
export function deleteSessionKey(options: SessionOptions = {}): Promise<void> {
  const { name, store } = settings(options);
  return store.delete(name);
}

/** Stamps with the key that is kept. The call rejects where there is none. */
export const sessionStamper =
  (options: SessionOptions = {}): Stamper =>
  async (body) => {
    const key = await findSessionKey(options);
    if (!key) throw new Error('there is no session key: make one with createSessionKey');
    return stampWithKey(body, key);
  };

const settings = ({ name = 'session', store = openKeyStore<SessionKey>() }: SessionOptions) => ({ name, store });

/** SEC 1 §2.3.3, from 0x04 ‖ x ‖ y. */
const compress = (point: Uint8Array): string =>
  base16.encode(Uint8Array.of(2 + ((point[64] as number) & 1), ...point.subarray(1, 33))).toLowerCase();
