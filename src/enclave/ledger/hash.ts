import { hash } from 'node:crypto';

/** SHA-256 as a Buffer of 32 bytes. */
export const sha256 = (bytes: Uint8Array): Buffer => hash('sha256', bytes, 'buffer');

/** A run of 32-byte hashes, one by one; copies. A rest that is no whole hash is left out. */
export function splitHashes(bytes: Uint8Array): Buffer[] {
  const all = Buffer.from(bytes);
  return Array.from({ length: Math.floor(all.length / 32) }, (_, index) => all.subarray(index * 32, index * 32 + 32));
}

/** `parts` as one buffer in memory of its own. What is kept for long must not be a slice of Node's pool: it keeps 64 KiB alive. */
export function ownBytes(...parts: readonly Uint8Array[]): Buffer {
  const own = Buffer.allocUnsafeSlow(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    own.set(part, at);
    at += part.length;
  }
  return own;
}
