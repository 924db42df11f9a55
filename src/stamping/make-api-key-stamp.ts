import { createECDH, createPrivateKey, sign } from 'node:crypto';
import type { Stamp } from './stamp.ts';

/** Hex: compressed P-256 point (66 digits), and its scalar (64 digits). */
export type ApiKeyPair = { readonly publicKey: string; readonly privateKey: string };

/** A new P-256 API key. */
export function generateApiKey(): ApiKeyPair {
  const ecdh = createECDH('prime256v1');
  return {
    publicKey: ecdh.generateKeys('hex', 'compressed'),
    privateKey: ecdh.getPrivateKey('hex').padStart(64, '0'),
  };
}

/**
 * Stamps `body`, which must then be sent byte for byte: `X-Stamp` by `SIGNATURE_SCHEME_TK_API_P256`.
 * Throws when the two halves of `key` do not belong together.
 */
export function makeApiKeyStamp(body: string | Uint8Array, key: ApiKeyPair): Stamp {
  const ecdh = createECDH('prime256v1');
  ecdh.setPrivateKey(key.privateKey.padStart(64, '0'), 'hex');
  if (ecdh.getPublicKey('hex', 'compressed') !== key.publicKey) {
    throw new Error(`the private key does not belong to the public key \`${key.publicKey}\``);
  }
  const point = ecdh.getPublicKey();
  const jwk = {
    kty: 'EC',
    crv: 'P-256',
    x: point.toString('base64url', 1, 33),
    y: point.toString('base64url', 33, 65),
    d: ecdh.getPrivateKey('base64url'),
  };
  const signature = sign('sha256', Buffer.from(body), createPrivateKey({ key: jwk, format: 'jwk' }));
  const stamp = {
    publicKey: key.publicKey,
    scheme: 'SIGNATURE_SCHEME_TK_API_P256',
    signature: signature.toString('hex'),
  };
  return { header: 'X-Stamp', value: Buffer.from(JSON.stringify(stamp)).toString('base64url') };
}
