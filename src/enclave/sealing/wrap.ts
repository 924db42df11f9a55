/** The root key under a key that a provider gives: AES-256-GCM, nonce(12) ‖ ciphertext(32) ‖ tag(16). */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { type Cbor, encode } from '../../protocol/cbor.ts';
import { wrappingContext } from '../contexts.ts';

const nonceSize = 12;
const tagSize = 16;
export const wrappedSize = nonceSize + 32 + tagSize;

/** `secret`: what the provider gave; `place`: what else the wrapping is bound to. */
export function wrapRootKey(rootKey: Buffer, secret: Uint8Array, place: Cbor): Buffer {
  const key = keyOf(secret);
  const nonce = randomBytes(nonceSize);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(encode(place));
  key.fill(0);
  return Buffer.concat([nonce, cipher.update(rootKey), cipher.final(), cipher.getAuthTag()]);
}

/** The 32 bytes of the root key; null where they were wrapped under another secret, for another place, or altered. */
export function unwrapRootKey(wrapped: unknown, secret: Uint8Array, place: Cbor): Buffer | null {
  if (!(wrapped instanceof Uint8Array) || wrapped.length !== wrappedSize) return null;
  const key = keyOf(secret);
  const decipher = createDecipheriv('aes-256-gcm', key, wrapped.subarray(0, nonceSize)).setAAD(encode(place));
  key.fill(0);
  decipher.setAuthTag(wrapped.subarray(-tagSize));
  const rootKey = decipher.update(wrapped.subarray(nonceSize, -tagSize));
  try {
    decipher.final();
    return rootKey;
  } catch {
    rootKey.fill(0);
    return null;
  }
}

const keyOf = (secret: Uint8Array): Buffer =>
  Buffer.from(hkdfSync('sha256', secret, Buffer.alloc(0), wrappingContext, 32));
