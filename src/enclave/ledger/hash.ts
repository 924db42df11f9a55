import { hash } from 'node:crypto';

/** SHA-256 as a Buffer of 32 bytes, a slice of Node's pool: by way of a string, for memory of its own costs as much as the hash. */
export const sha256 = (bytes: Uint8Array): Buffer => Buffer.from(hash('sha256', bytes, 'binary'), 'latin1');

/** Writes the SHA-256 of `bytes` to `target` at `at`. */
export const writeSha256 = (target: Buffer, at: number, bytes: Uint8Array): void => {
  target.write(hash('sha256', bytes, 'binary'), at, 'latin1');
};

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
