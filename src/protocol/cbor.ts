/** The CBOR encoding of `cbor-bytes.ts`, with Buffers. */
import { type Cbor, decodeBytes, encodeWith } from './cbor-bytes.ts';

export { type Cbor, CborError } from './cbor-bytes.ts';

const toBuffer = (encoded: Uint8Array): Buffer => Buffer.from(encoded);

/** The deterministic encoding of `value`; members that are `undefined` are left out. Throws a `CborError` for anything else. */
export const encode = (value: Cbor): Buffer => encodeWith(value, toBuffer);

/** The value of `bytes`, which must be one deterministic item and nothing after it. Byte strings are views of `bytes`, as Buffers. */
export const decode = (bytes: Uint8Array): Cbor =>
  decodeBytes(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
