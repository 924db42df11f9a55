/** What an ECDSA curve does with secret Buffers of 32 bytes. None of it keeps or zeroes what it is given. */
export type Ecdsa = {
  /** True for 32 bytes that are a scalar from 1 to the order − 1. */
  isValidSecret(secret: Buffer): boolean;
  /** Compressed public key, 33 bytes (SEC 1, 2.3.3). */
  publicKey(secret: Buffer): Uint8Array;
  /** Replaces `secret` by `secret + tweak` modulo the order; false, and `secret` is void, when either or the sum is no valid scalar. */
  add(secret: Buffer, tweak: Buffer): boolean;
  /** r‖s over a 32-byte digest: RFC 6979 nonce, low s, and the recovery id after low-S. */
  sign(digest: Uint8Array, secret: Buffer): { signature: Uint8Array; recoveryId: number };
};
