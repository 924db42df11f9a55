import type { JsonValue } from '../protocol/json.ts';

/** A JSON integer up to ±(2^53−1), decimal digits, or `0x` and hex digits, of 256 bits or little more; undefined for anything else. */
export function parseInteger(value: JsonValue | undefined): bigint | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : undefined;
  if (typeof value !== 'string') return undefined;
  if (/^-\d{1,78}$/.test(value)) return -BigInt(value.slice(1));
  return /^(?:\d{1,78}|0x[0-9a-fA-F]{1,64})$/.test(value) ? BigInt(value) : undefined;
}
