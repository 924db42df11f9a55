import { keccak256 } from '../keccak.ts';

/** An integer, or an address in hex, in 32 bytes. */
export function word(value: bigint | string): Buffer {
  const digits = typeof value === 'string' ? value.slice(2) : value.toString(16);
  return Buffer.from(digits.padStart(64, '0'), 'hex');
}

/** An integer in 16 bytes. */
export const halfWord = (value: bigint): Buffer => Buffer.from(value.toString(16).padStart(32, '0'), 'hex');

/** The hash of a text, as the type hashes of EIP-712 are. */
export const textHash = (text: string): Buffer => keccak256(Buffer.from(text));

/** EIP-712: the digest of a struct under a domain, of which both hashes are given. */
export const typedDigest = (separator: Buffer, structHash: Buffer): Buffer =>
  keccak256(Buffer.of(0x19, 0x01), separator, structHash);
