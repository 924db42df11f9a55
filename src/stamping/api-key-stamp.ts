import { hash, verify } from 'node:crypto';
import { keccak_256 } from '@noble/hashes/sha3.js';
import secp256k1 from 'secp256k1';
import { CountersignError } from '../protocol/errors.ts';
import { decodeBase64url } from './base64url.ts';
import { readDerSignature } from './der-signature.ts';
import { parseJsonObject } from './json-object.ts';
import { cachedKey } from './key-cache.ts';
import { ed25519PublicKey, p256PublicKey } from './public-key.ts';
import { maxStampLength } from './stamp.ts';

export type ApiKeyCurve = 'API_KEY_CURVE_P256' | 'API_KEY_CURVE_SECP256K1' | 'API_KEY_CURVE_ED25519';

/** Which curve a registered key must have for a stamp of the scheme. */
const schemeCurves = {
  SIGNATURE_SCHEME_TK_API_P256: 'API_KEY_CURVE_P256',
  SIGNATURE_SCHEME_TK_API_SECP256K1: 'API_KEY_CURVE_SECP256K1',
  SIGNATURE_SCHEME_TK_API_SECP256K1_EIP191: 'API_KEY_CURVE_SECP256K1',
  SIGNATURE_SCHEME_TK_API_ED25519: 'API_KEY_CURVE_ED25519',
} as const satisfies Record<string, ApiKeyCurve>;

export type ApiKeyScheme = keyof typeof schemeCurves;

export type ApiKeyStamp = {
  /** Lower-case hex: compressed point, or the 32 bytes of Ed25519. */
  readonly publicKey: string;
  readonly scheme: ApiKeyScheme;
  /** Lower-case hex: DER, or the 64 bytes of Ed25519. */
  readonly signature: string;
};

/**
 * Reads the value of `X-Stamp`: base64url, padded or not, of JSON `{publicKey, scheme, signature}`.
 * Throws UNAUTHENTICATED when it is anything else.
 */
export function parseApiKeyStamp(header: string): ApiKeyStamp {
  const text = header.length <= maxStampLength ? header.replace(/={1,2}$/, '') : undefined;
  const json = decodeBase64url(text, maxStampLength);
  const fields = json && parseJsonObject(json);
  if (!fields) throw malformed();
  const { publicKey, scheme, signature } = fields;
  if (typeof publicKey !== 'string' || !/^(?:0[23])?[0-9a-f]{64}$/i.test(publicKey)) throw malformed();
  if (typeof scheme !== 'string' || !Object.hasOwn(schemeCurves, scheme)) throw malformed();
  if (typeof signature !== 'string' || !/^(?:[0-9a-f]{2}){8,72}$/i.test(signature)) throw malformed();
  return {
    publicKey: publicKey.toLowerCase(),
    scheme: scheme as ApiKeyScheme,
    signature: signature.toLowerCase(),
  };
}

/**
 * Whether `stamp` is a signature over the exact bytes of `body` by its public key, which is registered with `curve`.
 * High-S signatures verify; DER must be strict.
 */
export function verifyApiKeyStamp(stamp: ApiKeyStamp, curve: ApiKeyCurve, body: Uint8Array): boolean {
  if (schemeCurves[stamp.scheme] !== curve) return false;
  const publicKey = Buffer.from(stamp.publicKey, 'hex');
  const signature = Buffer.from(stamp.signature, 'hex');
  try {
    switch (stamp.scheme) {
      case 'SIGNATURE_SCHEME_TK_API_P256': {
        const key = cachedKey(stamp.publicKey, () => p256PublicKey(publicKey));
        return verify('sha256', body, key, signature);
      }
      case 'SIGNATURE_SCHEME_TK_API_ED25519': {
        const key = cachedKey(stamp.publicKey, () => ed25519PublicKey(publicKey));
        return verify(null, body, key, signature);
      }
      case 'SIGNATURE_SCHEME_TK_API_SECP256K1':
        return verifySecp256k1(hash('sha256', body, 'buffer'), publicKey, signature);
      case 'SIGNATURE_SCHEME_TK_API_SECP256K1_EIP191':
        return verifySecp256k1(hashPersonalMessage(body), publicKey, signature);
    }
  } catch {
    // A point that is not on the curve, or numbers beyond its order.
    return false;
  }
}

function verifySecp256k1(digest: Uint8Array, publicKey: Buffer, der: Buffer): boolean {
  const signature = readDerSignature(der);
  // libsecp256k1 verifies low-S signatures only, and stamps may have either.
  return signature !== undefined && secp256k1.ecdsaVerify(secp256k1.signatureNormalize(signature), digest, publicKey);
}

/** ERC-191, version 0x45. */
function hashPersonalMessage(message: Uint8Array): Uint8Array {
  const prefix = Buffer.from(`\x19Ethereum Signed Message:\n${message.length}`);
  return keccak_256(Buffer.concat([prefix, message]));
}

const malformed = () =>
  new CountersignError('UNAUTHENTICATED', 'could not extract api key stamp', { reason: 'SIGNATURE_INVALID' });
