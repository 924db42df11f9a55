/** How the enclave hands its facts to policies; see `Value` of src/policy/types.ts. */
import type { Value } from '../policy/types.ts';

type Fields = { readonly [field: string]: Value | undefined };

/** A struct: nothing but these fields, so that no name of `Object.prototype` is one. */
export const struct = (fields: Fields): Fields => Object.assign(Object.create(nothing) as Fields, fields);

/** What has no prototype at all is slow to read. */
const nothing: object = Object.freeze(Object.create(null));

/** A time or a span, from ms. */
export const nanoseconds = (ms: number): bigint => BigInt(ms) * 1_000_000n;
