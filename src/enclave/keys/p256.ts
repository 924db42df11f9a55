import { createECDH } from 'node:crypto';
import { p256 as noble } from '@noble/curves/nist.js';
import type { Ecdsa } from './ecdsa.ts';

/** Order of the curve (FIPS 186-4, D.1.2.3). */
const order = Buffer.from('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551', 'hex');

const isValidSecret = (secret: Buffer): boolean =>
  secret.length === 32 && secret.some((byte) => byte !== 0) && secret.compare(order) < 0;

/**
 * P-256. node:crypto always hashes what it signs and so cannot sign a digest that is ready: `sign` is @noble/curves,
 * although that copies the scalar into BigInts.
 */
export const p256: Ecdsa = {
  isValidSecret,
  publicKey(secret) {
    const key = createECDH('prime256v1');
    key.setPrivateKey(secret);
    return key.getPublicKey(null, 'compressed');
  },
  add(secret, tweak) {
    if (!isValidSecret(secret) || !isValidSecret(tweak)) return false;
    addModuloOrder(secret, tweak);
    return isValidSecret(secret);
  },
  sign(digest, secret) {
    if (digest.length !== 32) throw new RangeError('expected a digest of 32 bytes');
    const recovered = noble.sign(digest, secret, { prehash: false, lowS: true, format: 'recovered' });
    return { signature: recovered.subarray(1), recoveryId: recovered[0] as number };
  },
};

/** `sum += other` modulo the order, byte by byte: a BigInt could not be zeroed. Both are below the order. */
function addModuloOrder(sum: Buffer, other: Buffer): void {
  let carry = 0;
  for (let at = 31; at >= 0; at--) {
    carry += (sum[at] as number) + (other[at] as number);
    sum[at] = carry;
    carry >>= 8;
  }
  if (carry === 0 && sum.compare(order) < 0) return;
  let borrow = 0;
  for (let at = 31; at >= 0; at--) {
    borrow += (sum[at] as number) - (order[at] as number);
    sum[at] = borrow;
    borrow >>= 8;
  }
}
