import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import type { Curve } from '../../decode/curve.ts';
import type { Ecdsa } from './ecdsa.ts';
import { p256 } from './p256.ts';
import { secp256k1 } from './secp256k1.ts';

export const ecdsaCurves: Record<Exclude<Curve, 'CURVE_ED25519'>, Ecdsa> = {
  CURVE_SECP256K1: secp256k1,
  CURVE_P256: p256,
};

/** `r` and `s` are 64 lower-case hex digits; `v` is the recovery id after low-S, "00" or "01" ("00" for Ed25519). */
export type Signature = { readonly r: string; readonly s: string; readonly v: string };

/** A new private key: 32 bytes of `random` that are valid on `curve`. The caller zeroes it. */
export function generateSecret(curve: Curve, random: (size: number) => Buffer): Buffer {
  for (;;) {
    const secret = random(32);
    if (isValidSecret(curve, secret)) return secret;
  }
}

/** True for 32 bytes that are a private key of `curve`: a scalar from 1 to the order − 1; any 32 bytes for Ed25519. */
export function isValidSecret(curve: Curve, secret: Buffer): boolean {
  return curve === 'CURVE_ED25519' ? secret.length === 32 : ecdsaCurves[curve].isValidSecret(secret);
}

/** The public key in lower-case hex: a compressed point (33 bytes), or the 32 bytes of Ed25519 (RFC 8032). */
export function publicKeyOf(curve: Curve, secret: Buffer): string {
  if (curve !== 'CURVE_ED25519') return Buffer.from(ecdsaCurves[curve].publicKey(secret)).toString('hex');
  return createPublicKey(ed25519Key(secret)).export({ format: 'raw-public' }).toString('hex');
}

/** Signs `bytes`: the 32-byte digest for ECDSA (RFC 6979, low s), the message itself for Ed25519 (RFC 8032). */
export function signBytes(curve: Curve, secret: Buffer, bytes: Uint8Array): Signature {
  if (curve === 'CURVE_ED25519') return toSignature(sign(null, bytes, ed25519Key(secret)), 0);
  const { signature, recoveryId } = ecdsaCurves[curve].sign(bytes, secret);
  return toSignature(signature, recoveryId);
}

function ed25519Key(secret: Buffer): KeyObject {
  return createPrivateKey({ key: secret, format: 'raw-private', asymmetricKeyType: 'ed25519' });
}

function toSignature(bytes: Uint8Array, recoveryId: number): Signature {
  const hex = Buffer.from(bytes).toString('hex');
  return { r: hex.slice(0, 64), s: hex.slice(64), v: `0${recoveryId}` };
}
