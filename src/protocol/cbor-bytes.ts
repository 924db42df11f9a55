/**
 * The one CBOR encoding of Countersign: RFC 8949 §4.2.1 core deterministic encoding, restricted to maps with text keys,
 * arrays, text, bytes, integers within ±(2^53−1), booleans and null. Two encoders of the same value give the same bytes,
 * so digests and seals are taken over these bytes, and anything else is refused, on the way out as on the way in:
 * whatever is written can be read. Runs in browsers too; `cbor.ts` is the same with Buffers.
 */

export type Cbor =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | readonly Cbor[]
  | { readonly [key: string]: Cbor | undefined };

/** Thrown for values that have no encoding, and for bytes that are not the deterministic encoding of a value within the limits. */
export class CborError extends Error {
  override name = 'CborError';
}

const maxDepth = 32;
const largest = Number.MAX_SAFE_INTEGER;
// Up to these lengths a loop is cheaper than a call into native code.
const shortWritten = 48;
const shortRead = 24;

// Major types (RFC 8949 §3.1) and simple values (§3.3).
const unsigned = 0;
const negative = 1;
const byteString = 2;
const textString = 3;
const array = 4;
const map = 5;
const falseByte = 0xf4;
const trueByte = 0xf5;
const nullByte = 0xf6;

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

type Writer = { bytes: Uint8Array; at: number };

// One buffer for all encodings, which are copied out of it; a large one is let go.
const scratchSize = 64 * 1024;
let scratch: Uint8Array = new Uint8Array(scratchSize);

/**
 * The deterministic encoding of `value`; members that are `undefined` are left out. Throws a `CborError` for anything else.
 * `copy` takes the bytes out of memory that is used again.
 */
export function encodeWith<Bytes extends Uint8Array>(value: Cbor, copy: (encoded: Uint8Array) => Bytes): Bytes {
  const writer: Writer = { bytes: scratch, at: 0 };
  write(writer, value, 0);
  if (writer.bytes.length <= scratchSize) scratch = writer.bytes;
  return copy(writer.bytes.subarray(0, writer.at));
}

export const encodeBytes = (value: Cbor): Uint8Array => encodeWith(value, (encoded) => encoded.slice());

function write(writer: Writer, value: Cbor | undefined, depth: number): void {
  if (depth > maxDepth) throw new CborError(`cannot encode what is nested deeper than ${maxDepth}`);
  if (typeof value === 'string') writeText(writer, value);
  else if (typeof value === 'number') writeInteger(writer, value);
  else if (typeof value === 'boolean') writeByte(writer, value ? trueByte : falseByte);
  else if (value === null) writeByte(writer, nullByte);
  else if (value instanceof Uint8Array) writeBytes(writer, value);
  else if (Array.isArray(value)) writeArray(writer, value, depth);
  else if (typeof value === 'object') writeMap(writer, value as { readonly [key: string]: Cbor | undefined }, depth);
  else throw new CborError(`cannot encode a value of type ${typeof value}`);
}

function writeInteger(writer: Writer, value: number): void {
  if (!Number.isSafeInteger(value)) throw new CborError(`cannot encode ${value}: only integers within ±(2^53−1)`);
  if (value < 0) writeHead(writer, negative, -1 - value);
  else writeHead(writer, unsigned, value);
}

function writeText(writer: Writer, text: string): void {
  if (text.length <= shortWritten && writeShortAscii(writer, text)) return;
  if (!text.isWellFormed()) throw new CborError('cannot encode text with a lone surrogate');
  const bytes = encoder.encode(text);
  writeHead(writer, textString, bytes.length);
  append(writer, bytes);
}

/** Most texts are names and ids, for which a call into native code costs more than a loop; false when it is not ASCII. */
function writeShortAscii(writer: Writer, text: string): boolean {
  const start = writer.at;
  writeHead(writer, textString, text.length);
  reserve(writer, text.length);
  const { bytes, at } = writer;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code >= 0x80) {
      writer.at = start;
      return false;
    }
    bytes[at + index] = code;
  }
  writer.at = at + text.length;
  return true;
}

function writeBytes(writer: Writer, bytes: Uint8Array): void {
  writeHead(writer, byteString, bytes.length);
  append(writer, bytes);
}

function append(writer: Writer, bytes: Uint8Array): void {
  reserve(writer, bytes.length);
  writer.bytes.set(bytes, writer.at);
  writer.at += bytes.length;
}

function writeArray(writer: Writer, items: readonly Cbor[], depth: number): void {
  writeHead(writer, array, items.length);
  for (const item of items) write(writer, item, depth + 1);
}

function writeMap(writer: Writer, object: { readonly [key: string]: Cbor | undefined }, depth: number): void {
  const prototype = Object.getPrototypeOf(object);
  if (prototype !== Object.prototype && prototype !== null) throw new CborError('cannot encode an object of a class');
  const keys = sortedKeys(object);
  writeHead(writer, map, keys.length);
  for (const key of keys) {
    writeText(writer, key);
    write(writer, object[key], depth + 1);
  }
}

/** Names of the members that there are, in the order of their encodings. Small objects are sorted by insertion. */
function sortedKeys(object: { readonly [key: string]: Cbor | undefined }): string[] {
  const keys: string[] = [];
  const all = Object.keys(object);
  if (all.length > 32) return all.filter((key) => object[key] !== undefined).sort(byEncodedKey);
  for (const key of all) {
    if (object[key] === undefined) continue;
    let at = keys.length;
    while (at > 0 && byEncodedKey(keys[at - 1] as string, key) > 0) {
      keys[at] = keys[at - 1] as string;
      at--;
    }
    keys[at] = key;
  }
  return keys;
}

/** RFC 8949 §4.2.1: keys in the bytewise order of their encodings, which puts shorter texts first. */
function byEncodedKey(a: string, b: string): number {
  if (isAscii(a) && isAscii(b)) return a.length - b.length || (a < b ? -1 : 1);
  const [x, y] = [encoder.encode(a), encoder.encode(b)];
  const at = x.findIndex((byte, index) => byte !== y[index]);
  return x.length - y.length || (at === -1 ? 0 : (x[at] as number) - (y[at] as number));
}

function isAscii(text: string): boolean {
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) >= 0x80) return false;
  return true;
}

/** The initial byte with an argument in its shortest form (RFC 8949 §3). */
function writeHead(writer: Writer, major: number, argument: number): void {
  reserve(writer, 9);
  const { bytes, at } = writer;
  const type = major << 5;
  if (argument < 24) {
    bytes[at] = type | argument;
    writer.at = at + 1;
    return;
  }
  const power = argument < 0x100 ? 0 : argument < 0x1_0000 ? 1 : argument < 0x1_0000_0000 ? 2 : 3;
  const size = 1 << power;
  bytes[at] = type | (24 + power);
  let rest = argument;
  for (let index = size; index > 0; index--) {
    bytes[at + index] = rest & 0xff;
    rest = Math.floor(rest / 256);
  }
  writer.at = at + 1 + size;
}

function writeByte(writer: Writer, byte: number): void {
  reserve(writer, 1);
  writer.bytes[writer.at++] = byte;
}

function reserve(writer: Writer, size: number): void {
  if (writer.at + size <= writer.bytes.length) return;
  const larger = new Uint8Array(Math.max(2 * writer.bytes.length, writer.at + size));
  larger.set(writer.bytes.subarray(0, writer.at));
  writer.bytes = larger;
}

type Reader = { readonly bytes: Uint8Array; at: number };

/** The value of `bytes`, which must be one deterministic item and nothing after it. Byte strings are views of `bytes`. */
export function decodeBytes(bytes: Uint8Array): Cbor {
  const reader: Reader = { bytes, at: 0 };
  const value = read(reader, 0);
  const rest = bytes.length - reader.at;
  if (rest > 0) throw new CborError(`expected one CBOR item, found ${rest} bytes after it`);
  return value;
}

function read(reader: Reader, depth: number): Cbor {
  if (depth > maxDepth) throw new CborError(`nested deeper than ${maxDepth}`);
  const start = reader.at;
  const initial = nextByte(reader);
  if (initial === falseByte) return false;
  if (initial === trueByte) return true;
  if (initial === nullByte) return null;
  const major = initial >> 5;
  if (major > map) throw new CborError(`unexpected tag, simple value or float at ${start}`);
  const argument = readArgument(reader, initial & 31);
  switch (major) {
    case unsigned:
      return argument;
    case negative:
      if (argument === largest) throw new CborError(`integer at ${start} is beyond ±(2^53−1)`);
      return -1 - argument;
    case byteString:
      return take(reader, argument);
    case textString:
      return readText(reader, argument);
    case array:
      return readArray(reader, argument, depth);
    default:
      return readMap(reader, argument, depth);
  }
}

function readArray(reader: Reader, size: number, depth: number): Cbor[] {
  assertRest(reader, size);
  const items: Cbor[] = [];
  for (let index = 0; index < size; index++) items.push(read(reader, depth + 1));
  return items;
}

function readMap(reader: Reader, size: number, depth: number): Cbor {
  assertRest(reader, size);
  const object: { [key: string]: Cbor } = {};
  let previous: string | undefined;
  for (let index = 0; index < size; index++) {
    const start = reader.at;
    const initial = nextByte(reader);
    if (initial >> 5 !== textString) throw new CborError(`map key at ${start} is not text`);
    const key = readText(reader, readArgument(reader, initial & 31));
    if (previous !== undefined && byEncodedKey(previous, key) >= 0) {
      throw new CborError(`map keys at ${start} are doubled or out of order`);
    }
    previous = key;
    const value = read(reader, depth + 1);
    // An assignment would set the prototype.
    if (key === '__proto__')
      Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
    else object[key] = value;
  }
  return object;
}

function readText(reader: Reader, length: number): string {
  assertRest(reader, length);
  const start = reader.at;
  reader.at += length;
  if (length <= shortRead) {
    const text = readAscii(reader.bytes, start, reader.at);
    if (text !== undefined) return text;
  }
  try {
    return decoder.decode(reader.bytes.subarray(start, reader.at));
  } catch {
    throw new CborError(`text at ${start} is not UTF-8`);
  }
}

/** As when writing: undefined when it is not ASCII. */
function readAscii(bytes: Uint8Array, from: number, to: number): string | undefined {
  let text = '';
  for (let at = from; at < to; at++) {
    const code = bytes[at] as number;
    if (code >= 0x80) return undefined;
    text += String.fromCharCode(code);
  }
  return text;
}

function readArgument(reader: Reader, info: number): number {
  if (info < 24) return info;
  const start = reader.at - 1;
  if (info > 27) throw new CborError(`indefinite or reserved length at ${start}`);
  const size = 1 << (info - 24);
  let argument = 0;
  for (let index = 0; index < size; index++) argument = argument * 256 + nextByte(reader);
  if (argument > largest) throw new CborError(`integer at ${start} is beyond ±(2^53−1)`);
  const least = size === 1 ? 24 : 256 ** (size / 2);
  if (argument < least) throw new CborError(`integer at ${start} is not in its shortest form`);
  return argument;
}

function take(reader: Reader, length: number): Uint8Array {
  assertRest(reader, length);
  const taken = reader.bytes.subarray(reader.at, reader.at + length);
  reader.at += length;
  return taken;
}

/** Every item takes a byte at least, so no length can make the reader set aside more than it was given. */
function assertRest(reader: Reader, length: number): void {
  if (length > reader.bytes.length - reader.at) throw new CborError(`length ${length} at ${reader.at} is past the end`);
}

function nextByte(reader: Reader): number {
  const byte = reader.bytes[reader.at];
  if (byte === undefined) throw new CborError('ends in the middle of an item');
  reader.at++;
  return byte;
}
