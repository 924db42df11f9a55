/**
 * Request bodies: JSON (RFC 8259) without the freedoms that let two readers understand one body differently. Duplicate
 * names, lone surrogates, a byte order mark, bad UTF-8 and numbers that a double does not hold exactly are refused;
 * nesting is bounded. Objects have no prototype, so that a member called `__proto__` is a member like any other. V8's own
 * parser would not do even for what is left: it misreads escaped names after others (nodejs/node#63785).
 */
import { type CountersignError, invalidArgument } from './errors.ts';

export type JsonObject = { [key: string]: JsonValue };
export type JsonValue = null | boolean | number | string | JsonValue[] | JsonObject;

const maxDepth = 32;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const hex4 = /[0-9a-fA-F]{4}/y;

type Reader = { readonly text: string; at: number; readonly path: (string | number)[] };

/** The value of `bytes`, which must be one JSON text. Throws INVALID_ARGUMENT that names the place. */
export function parseJson(bytes: Uint8Array): JsonValue {
  if (bytes.length === 0) throw badBody('body', 'expected a JSON object, found an empty body');
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    throw badBody('body', 'not valid UTF-8');
  }
  const reader: Reader = { text, at: 0, path: [] };
  const value = readValue(reader, 0);
  if (!Number.isNaN(skipSpace(reader))) throw fail(reader, 'expected the end of the body');
  return value;
}

function readValue(reader: Reader, depth: number): JsonValue {
  switch (skipSpace(reader)) {
    case 0x22:
      return readString(reader);
    case 0x7b:
      return readObject(reader, depth + 1);
    case 0x5b:
      return readArray(reader, depth + 1);
    case 0x74:
      return readWord(reader, 'true', true);
    case 0x66:
      return readWord(reader, 'false', false);
    case 0x6e:
      return readWord(reader, 'null', null);
    default:
      return readNumber(reader);
  }
}

function readObject(reader: Reader, depth: number): JsonObject {
  enter(reader, depth);
  const object = emptyObject();
  if (skipSpace(reader) === 0x7d) {
    reader.at++;
    return object;
  }
  for (;;) {
    if (skipSpace(reader) !== 0x22) throw fail(reader, 'expected a member name in double quotes');
    const start = reader.at;
    const key = readString(reader);
    reader.path.push(key);
    if (key in object) throw fail(reader, 'given twice', start);
    if (skipSpace(reader) !== 0x3a) throw fail(reader, 'expected `:`');
    reader.at++;
    object[key] = readValue(reader, depth);
    const next = skipSpace(reader);
    if (next !== 0x2c && next !== 0x7d) throw fail(reader, 'expected `,` or `}`');
    reader.path.pop();
    reader.at++;
    if (next === 0x7d) return object;
  }
}

function readArray(reader: Reader, depth: number): JsonValue[] {
  enter(reader, depth);
  const array: JsonValue[] = [];
  if (skipSpace(reader) === 0x5d) {
    reader.at++;
    return array;
  }
  for (;;) {
    reader.path.push(array.length);
    array.push(readValue(reader, depth));
    const next = skipSpace(reader);
    if (next !== 0x2c && next !== 0x5d) throw fail(reader, 'expected `,` or `]`');
    reader.path.pop();
    reader.at++;
    if (next === 0x5d) return array;
  }
}

function enter(reader: Reader, depth: number): void {
  if (depth > maxDepth) throw fail(reader, `nested deeper than ${maxDepth}`);
  reader.at++;
}

/** Most strings have no escapes and are one slice of the body. */
function readString(reader: Reader): string {
  const { text } = reader;
  const start = reader.at + 1;
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x22) {
      reader.at = at + 1;
      return text.slice(start, at);
    }
    if (code === 0x5c) return readEscapedString(reader, start, at);
    if (code < 0x20) throw fail(reader, 'control character in a string: escape it', at);
  }
  throw fail(reader, 'string without an end');
}

function readEscapedString(reader: Reader, start: number, firstEscape: number): string {
  const { text } = reader;
  let value = '';
  let from = start;
  for (let at = firstEscape; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x22) {
      value += text.slice(from, at);
      if (!value.isWellFormed()) throw fail(reader, 'string with half of a surrogate pair');
      reader.at = at + 1;
      return value;
    }
    if (code < 0x20) throw fail(reader, 'control character in a string: escape it', at);
    if (code !== 0x5c) continue;
    value += text.slice(from, at) + readEscape(reader, at + 1);
    at += text.charCodeAt(at + 1) === 0x75 ? 5 : 1;
    from = at + 1;
  }
  throw fail(reader, 'string without an end');
}

/** The character of the escape whose letter is at `at`. */
function readEscape(reader: Reader, at: number): string {
  switch (reader.text[at]) {
    case '"':
      return '"';
    case '\\':
      return '\\';
    case '/':
      return '/';
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'u': {
      hex4.lastIndex = at + 1;
      const digits = hex4.exec(reader.text);
      if (digits) return String.fromCharCode(Number.parseInt(digits[0], 16));
    }
  }
  throw fail(reader, 'unknown escape in a string', at - 1);
}

function readNumber(reader: Reader): number {
  number.lastIndex = reader.at;
  const digits = number.exec(reader.text)?.[0];
  if (digits === undefined) {
    throw fail(reader, reader.at < reader.text.length ? 'expected a JSON value' : 'the body ends too early');
  }
  const value = Number(digits);
  if (Math.abs(value) > Number.MAX_SAFE_INTEGER) throw fail(reader, 'number beyond ±(2^53−1)');
  reader.at += digits.length;
  return value;
}

function readWord<T>(reader: Reader, word: string, value: T): T {
  if (!reader.text.startsWith(word, reader.at)) throw fail(reader, 'expected a JSON value');
  reader.at += word.length;
  return value;
}

/** Moves to the next character that is no white space and returns its code, NaN at the end. */
function skipSpace(reader: Reader): number {
  for (;;) {
    const code = reader.text.charCodeAt(reader.at);
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return code;
    reader.at++;
  }
}

const emptyObject = (): JsonObject => Object.create(null);

function fail(reader: Reader, problem: string, at = reader.at): CountersignError {
  const before = reader.text.slice(0, at);
  const line = before.split('\n').length;
  const column = at - before.lastIndexOf('\n');
  return badBody(fieldPath(reader.path), `${problem} (line ${line}, column ${column})`);
}

const badBody = (field: string, description: string): CountersignError =>
  invalidArgument('bad request body', { fields: [{ field, description }] });

/** `path` as errors name it; names that a caller made up are cut, so that an error stays small. */
function fieldPath(path: readonly (string | number)[]): string {
  return path.map((part) => String(part).slice(0, 64).toWellFormed()).join('.') || 'body';
}
