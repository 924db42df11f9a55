import { keccak_256 } from '@noble/hashes/sha3.js';

/** Keccak-256 as Ethereum uses it (the padding before FIPS 202). */
export function keccak256(...parts: readonly Uint8Array[]): Buffer {
  const hash = keccak_256.create();
  for (const part of parts) hash.update(part);
  const digest = hash.digest();
  return Buffer.from(digest.buffer, digest.byteOffset, digest.length);
}
