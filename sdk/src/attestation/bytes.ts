import { bytesToHex } from '@noble/hashes/utils.js';
import { refuse } from './evidence-error.ts';

export const isZero = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0);

/** For `crypto.subtle`, which does not take views of shared memory. */
export const own = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => new Uint8Array(bytes);

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** Of ASCII; whatever else there is does not pass for it. */
export const textOf = (bytes: Uint8Array): string => decoder.decode(bytes);

export const hex = bytesToHex;

/** A view of `length` bytes at `at`; refuses what ends before. */
export function slice(bytes: Uint8Array, at: number, length: number, what: string): Uint8Array {
  if (at + length > bytes.length)
    refuse('MALFORMED', `${what} ends early: ${length} bytes at ${at} of ${bytes.length}`);
  return bytes.subarray(at, at + length);
}

/** Reads fields one after another, in the byte order of the format. */
export function createReader(bytes: Uint8Array, what: string, littleEndian: boolean) {
  let at = 0;
  const take = (length: number): Uint8Array => {
    const taken = slice(bytes, at, length, what);
    at += length;
    return taken;
  };
  const integer = (length: number): number => {
    const digits = [...take(length)];
    if (littleEndian) digits.reverse();
    return digits.reduce((value, digit) => value * 256 + digit, 0);
  };
  return {
    take,
    u8: () => integer(1),
    u16: () => integer(2),
    u32: () => integer(4),
    end: () => {
      if (at !== bytes.length) refuse('MALFORMED', `${what}: ${bytes.length - at} bytes after its end`);
    },
  };
}
