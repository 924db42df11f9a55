import { ed25519 } from '@noble/curves/ed25519.js';
import secp256k1 from 'secp256k1';
import type { ApiKeyCurve } from './api-key-stamp.ts';
import { p256PublicKey } from './public-key.ts';

/** Whether lower-case `hex` is a public key of `curve`: a compressed point (66 digits) that lies on it; Ed25519: 64 digits. */
export function isApiPublicKey(curve: ApiKeyCurve, hex: string): boolean {
  if (curve === 'API_KEY_CURVE_ED25519') {
    return /^[0-9a-f]{64}$/.test(hex) && isEd25519PublicKey(Buffer.from(hex, 'hex'));
  }
  if (!/^0[23][0-9a-f]{64}$/.test(hex)) return false;
  const point = Buffer.from(hex, 'hex');
  return curve === 'API_KEY_CURVE_SECP256K1' ? secp256k1.publicKeyVerify(point) : isP256Point(point);
}

/**
 * Whether `bytes` are the canonical encoding (RFC 8032 §5.1.3) of a point of the prime-order group. Outside of it there
 * are keys under which one signature fits every message.
 */
export function isEd25519PublicKey(bytes: Uint8Array): boolean {
  try {
    const point = ed25519.Point.fromBytes(bytes);
    return !point.is0() && point.isTorsionFree();
  } catch {
    return false;
  }
}

function isP256Point(point: Uint8Array): boolean {
  try {
    p256PublicKey(point);
    return true;
  } catch {
    return false;
  }
}
