import { typeMismatch } from './failure.ts';
import { foldCase, isAddress } from './text.ts';
import type { Value } from './types.ts';

/** What an expression is evaluated on, by the roots of its schema; a namespace that the activity lacks is undefined. */
export type Facts = { readonly [root: string]: Value | undefined };

export const isBytes = (value: Value): value is Uint8Array => value instanceof Uint8Array;
export const isMap = (value: Value): value is ReadonlyMap<string | bigint | boolean, Value> => value instanceof Map;
export const isList = (value: Value): value is readonly Value[] => Array.isArray(value);
export const isStruct = (value: Value): value is { readonly [field: string]: Value | undefined } =>
  typeof value === 'object' && value !== null && !isBytes(value) && !isMap(value) && !isList(value);

export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  return Buffer.compare(a, b);
}

/** Bytes as the texts that they equal. */
export const hexOf = (bytes: Uint8Array): string =>
  `0x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')}`;

/** Texts of a decoded argument: addresses compare without regard to case whatever their ABI calls them. */
export function sameArgumentText(a: string, b: string, caseless: boolean): boolean {
  if (a === b) return true;
  return (caseless || (isAddress(b) && isAddress(a))) && foldCase(a) === foldCase(b);
}

/**
 * Equality with a decoded argument, whose type only the data tell: of different types is an error, as it would have been at
 * the check; bytes equal their text in hex.
 */
export function argumentEquals(a: Value, b: Value, caseless: boolean): boolean {
  if (a === null || b === null) return a === b;
  if (typeof a === 'string' && typeof b === 'string') return sameArgumentText(a, b, caseless);
  // biome-ignore lint/suspicious/noDoubleEquals: a bigint and a number are equal where their values are
  if (isNumber(a) && isNumber(b)) return a == b;
  if (typeof a === 'boolean' && typeof b === 'boolean') return a === b;
  if (isBytes(a) && isBytes(b)) return compareBytes(a, b) === 0;
  if (isBytes(a) && typeof b === 'string') return hexOf(a) === foldCase(b);
  if (isBytes(b) && typeof a === 'string') return hexOf(b) === foldCase(a);
  if (isList(a) && isList(b)) {
    return a.length === b.length && a.every((item, index) => argumentEquals(item, b[index] ?? null, caseless));
  }
  throw typeMismatch;
}

const isNumber = (value: Value): value is bigint | number => typeof value === 'bigint' || typeof value === 'number';
