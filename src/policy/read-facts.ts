/** Facts that are given as JSON (cases for tests and CI) to values by the types of a schema. */
import type { JsonValue } from '../protocol/json.ts';
import { foldCase } from './text.ts';
import { parseDuration, parseTimestamp } from './time.ts';
import type { Field, Schema, Type, Value } from './types.ts';
import type { Facts } from './values.ts';

/** What is wrong, and where: `facts.eth.tx.value`. */
export class FactError extends Error {
  readonly path: string;

  constructor(path: string, message: string) {
    super(`${path}: ${message}`);
    this.name = 'FactError';
    this.path = path;
  }
}

type Reading = {
  /** Paths of members that the schema does not have: nothing can depend on them. */
  readonly ignored: string[];
};

/**
 * Integers are whole numbers or `{"$int":"…"}`, timestamps RFC 3339 or Unix seconds, durations such as `1h30m`, bytes hex with
 * 0x. An absent root is a namespace that the activity does not carry. Throws `FactError`.
 */
export function readFacts(schema: Schema, json: JsonValue, path: string): { facts: Facts; ignored: readonly string[] } {
  const reading: Reading = { ignored: [] };
  const facts = readFields(schema, objectAt(json, path), path, reading);
  return { facts, ignored: reading.ignored };
}

function readFields(
  fields: { readonly [name: string]: Field },
  json: { readonly [name: string]: JsonValue },
  path: string,
  reading: Reading,
): { [name: string]: Value | undefined } {
  const read: { [name: string]: Value | undefined } = Object.assign(Object.create(nothing), absentFields(fields));
  for (const [name, given] of Object.entries(json)) {
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (!field) reading.ignored.push(`${path}.${name}`);
    else if (given !== null) read[name] = readValue(field.type, given, `${path}.${name}`, reading);
  }
  return read;
}

/** What has no prototype at all is slow to read. */
const nothing: object = Object.freeze(Object.create(null));

type Fields = { readonly [name: string]: Value | undefined };

/** By the fields of a schema, which are always the same: files have many cases. */
const absentOf = new WeakMap<object, Fields>();

/** What all fields are where nothing is given. */
function absentFields(fields: { readonly [name: string]: Field }): Fields {
  const known = absentOf.get(fields);
  if (known) return known;
  const made = Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, absent(field)]));
  absentOf.set(fields, made);
  return made;
}

/** Structs that only group namespaces are always there, without the namespaces. */
function absent({ type, namespace, optional, default: preset }: Field): Value | undefined {
  if (preset !== undefined) return preset;
  if (namespace || optional || type.kind !== 'struct') return undefined;
  return readFields(type.fields, {}, '', { ignored: [] });
}

function readValue(type: Type, json: JsonValue, path: string, reading: Reading): Value {
  switch (type.kind) {
    case 'bool':
      if (typeof json === 'boolean') return json;
      throw new FactError(path, 'expected true or false');
    case 'string':
      return textAt(json, path);
    case 'address':
    case 'caseless':
      return foldCase(textAt(json, path));
    case 'int':
    case 'uint':
      return integerAt(json, path, type.kind === 'uint');
    case 'bytes':
      return bytesAt(json, path);
    case 'timestamp':
      return typeof json === 'string'
        ? timeAt(parseTimestamp, json, path)
        : integerAt(json, path, false) * 1_000_000_000n;
    case 'duration':
      return timeAt(parseDuration, textAt(json, path), path);
    case 'list':
      if (!Array.isArray(json)) throw new FactError(path, 'expected an array');
      return json.map((item, index) => readValue(type.element, item, `${path}[${index}]`, reading));
    case 'map':
      return new Map(
        Object.entries(objectAt(json, path)).map(([key, item]) => [
          key,
          readValue(type.value, item, `${path}.${key}`, reading),
        ]),
      );
    case 'struct':
      return readFields(type.fields, objectAt(json, path), path, reading);
    case 'value':
      return readDynamic(json, path);
    default:
      throw new FactError(path, `facts have no ${type.kind}`);
  }
}

/** A decoded argument: tuples are arrays. */
function readDynamic(json: JsonValue, path: string): Value {
  if (json === null || typeof json === 'string' || typeof json === 'boolean') return json;
  if (typeof json === 'number') return integerAt(json, path, false);
  if (Array.isArray(json)) return json.map((item, index) => readDynamic(item, `${path}[${index}]`));
  if ('$int' in json) return integerAt(json, path, false);
  return new Map(Object.entries(json).map(([key, item]) => [key, readDynamic(item, `${path}.${key}`)]));
}

export function objectAt(json: JsonValue | undefined, path: string): { readonly [name: string]: JsonValue } {
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json;
  throw new FactError(path, 'expected an object');
}

export function textAt(json: JsonValue | undefined, path: string): string {
  if (typeof json === 'string') return json;
  throw new FactError(path, 'expected a string');
}

function integerAt(json: JsonValue, path: string, unsigned: boolean): bigint {
  const value = exactInteger(json);
  if (value === undefined) throw new FactError(path, 'expected an integer: a whole number up to 2^53 or {"$int":"…"}');
  if (unsigned && value < 0n) throw new FactError(path, 'expected an integer that is not negative');
  return value;
}

function exactInteger(json: JsonValue): bigint | undefined {
  if (typeof json === 'number') return Number.isSafeInteger(json) ? BigInt(json) : undefined;
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return undefined;
  const { $int: digits, ...others } = json;
  if (typeof digits !== 'string' || Object.keys(others).length > 0) return undefined;
  return /^-?\d{1,100}$/.test(digits) ? BigInt(digits) : undefined;
}

function bytesAt(json: JsonValue, path: string): Uint8Array {
  const text = textAt(json, path);
  if (!/^0x(?:[0-9a-fA-F]{2})*$/.test(text)) throw new FactError(path, 'expected hex with 0x');
  return Buffer.from(text.slice(2), 'hex');
}

function timeAt(parse: (text: string) => bigint, text: string, path: string): bigint {
  try {
    return parse(text);
  } catch (error) {
    throw new FactError(path, (error as Error).message);
  }
}
