/**
 * A reader of CBOR as COSE uses it (RFC 8949): any item may be the key of a map. It takes one item and nothing after it,
 * definite lengths, integers in their shortest form and no key twice; the order of keys is free, for AWS sorts otherwise
 * than the deterministic encoding. Floats, tags and simple values beside null and booleans are refused.
 */
import { refuse } from './evidence-error.ts';

export type Item = null | boolean | number | string | Uint8Array | Item[] | Map<number | string, Item>;

const maxDepth = 8;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

type Reader = { readonly bytes: Uint8Array; at: number };

export function decodeCbor(bytes: Uint8Array): Item {
  const reader: Reader = { bytes, at: 0 };
  const item = read(reader, 0);
  if (reader.at !== bytes.length) malformed(`${bytes.length - reader.at} bytes after the end`);
  return item;
}

function read(reader: Reader, depth: number): Item {
  if (depth > maxDepth) malformed('nested too deep');
  const initial = nextByte(reader);
  if (initial === 0xf4 || initial === 0xf5) return initial === 0xf5;
  if (initial === 0xf6) return null;
  const major = initial >> 5;
  if (major > 5) malformed('a tag, float or simple value');
  const argument = readArgument(reader, initial & 31);
  if (major === 0) return argument;
  if (major === 1) return -1 - argument;
  // Each item has a byte at least, so no length makes the reader set aside more than it was given.
  if (argument > reader.bytes.length - reader.at) malformed('a length past the end');
  if (major === 2) return take(reader, argument);
  if (major === 3) return readText(take(reader, argument));
  if (major === 4) return Array.from({ length: argument }, () => read(reader, depth + 1));
  return readMap(reader, argument, depth);
}

function readMap(reader: Reader, size: number, depth: number): Item {
  const map = new Map<number | string, Item>();
  for (let index = 0; index < size; index++) {
    const key = read(reader, depth + 1);
    if (typeof key !== 'string' && typeof key !== 'number') return malformed('a key that is neither text nor integer');
    if (map.has(key)) malformed(`the key ${key} twice`);
    map.set(key, read(reader, depth + 1));
  }
  return map;
}

function readText(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    return malformed('text that is not UTF-8');
  }
}

function readArgument(reader: Reader, info: number): number {
  if (info < 24) return info;
  if (info > 27) malformed('an indefinite or reserved length');
  const size = 1 << (info - 24);
  let argument = 0;
  for (let index = 0; index < size; index++) argument = argument * 256 + nextByte(reader);
  if (argument > Number.MAX_SAFE_INTEGER) malformed('an integer beyond 2^53−1');
  if (argument < (size === 1 ? 24 : 256 ** (size / 2))) malformed('an integer that is not in its shortest form');
  return argument;
}

function take(reader: Reader, length: number): Uint8Array {
  const taken = reader.bytes.subarray(reader.at, reader.at + length);
  reader.at += length;
  return taken;
}

function nextByte(reader: Reader): number {
  const byte = reader.bytes[reader.at];
  if (byte === undefined) return malformed('an end in the middle of an item');
  reader.at++;
  return byte;
}

const malformed = (found: string): never => refuse('MALFORMED', `CBOR: found ${found}`);
