/**
 * Array parameters in PostgreSQL's binary form: `pg` passes a Buffer on as it is, so a thousand sealed rows travel
 * without being turned into text and back (src/backend/utils/adt/arrayfuncs.c, `array_recv`).
 */
type Bytes = Uint8Array;

const oids = { bytea: 17, int8: 20, int4: 23, text: 25, uuid: 2950 } as const;
const headerSize = 20;

export const byteas = (values: readonly (Bytes | null)[]): Buffer => binaryArray(oids.bytea, values);
export const uuids = (values: readonly (Bytes | null)[]): Buffer => binaryArray(oids.uuid, values);
export const texts = (values: readonly string[]): Buffer =>
  binaryArray(
    oids.text,
    values.map((value) => Buffer.from(value)),
  );
export const int4s = (values: readonly number[]): Buffer => integers(oids.int4, 4, values);
export const int8s = (values: readonly number[]): Buffer => integers(oids.int8, 8, values);

/** A Buffer over the same bytes; `pg` sends nothing else in binary form. */
export const bytes = (value: Bytes): Buffer => Buffer.from(value.buffer, value.byteOffset, value.byteLength);

function binaryArray(oid: number, values: readonly (Bytes | null)[]): Buffer {
  let size = headerSize;
  for (const value of values) size += 4 + (value?.length ?? 0);
  const array = startArray(oid, size, values.length);
  let at = headerSize;
  for (const value of values) {
    at = array.writeInt32BE(value ? value.length : -1, at);
    if (!value) continue;
    array.set(value, at);
    at += value.length;
  }
  return array;
}

function integers(oid: number, width: 4 | 8, values: readonly number[]): Buffer {
  const array = startArray(oid, headerSize + values.length * (4 + width), values.length);
  let at = headerSize;
  for (const value of values) {
    at = array.writeInt32BE(width, at);
    at = width === 4 ? array.writeInt32BE(value, at) : array.writeBigInt64BE(BigInt(value), at);
  }
  return array;
}

/** One dimension, nulls allowed, elements numbered from 1. */
function startArray(oid: number, size: number, count: number): Buffer {
  const array = Buffer.allocUnsafe(size);
  array.writeInt32BE(1, 0);
  array.writeInt32BE(1, 4);
  array.writeInt32BE(oid, 8);
  array.writeInt32BE(count, 12);
  array.writeInt32BE(1, 16);
  return array;
}
