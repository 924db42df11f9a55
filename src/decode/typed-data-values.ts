/** Hashing of EIP-712 values (`hashStruct`, `encodeData`). */
import type { JsonValue } from '../protocol/json.ts';
import { isObject } from './json-text.ts';
import { keccak256 } from './keccak.ts';
import { type ElementaryType, readElementary } from './typed-data-elementary.ts';
import { invalidTypedData } from './typed-data-error.ts';
import type { Struct, Type } from './typed-data-types.ts';

/** Each costs up to one hash. */
const maxValues = 4_096;

type Walk = {
  readonly structs: ReadonlyMap<string, Struct>;
  readonly path: (string | number)[];
  valuesLeft: number;
};

/** `hashStruct` of `value`, an object of the struct type `name`; what the type does not name is not part of it. */
export function hashStruct(structs: ReadonlyMap<string, Struct>, name: string, value: JsonValue, root: string): Buffer {
  return structHash({ structs, path: [root], valuesLeft: maxValues }, name, value);
}

function structHash(walk: Walk, name: string, value: JsonValue): Buffer {
  if (!isObject(value)) throw invalidTypedData(walk.path, `expected an object of type ${name}`);
  const { fields, typeHash } = walk.structs.get(name) as Struct;
  const words = fields.map((field) => {
    walk.path.push(field.name);
    const member = value[field.name];
    if (member === undefined) throw invalidTypedData(walk.path, 'expected this field');
    const word = encode(walk, field.type, member);
    walk.path.pop();
    return word;
  });
  return keccak256(typeHash, ...words);
}

/** The 32 bytes that stand for `value` in its struct or array. */
function encode(walk: Walk, type: Type, value: JsonValue): Buffer {
  if (--walk.valuesLeft < 0) throw invalidTypedData([walk.path[0] as string], `expected at most ${maxValues} values`);
  switch (type.kind) {
    case 'struct':
      return structHash(walk, type.name, value);
    case 'array':
      return encodeArray(walk, type, value);
    default:
      return encodeElementary(type, readElementary(type, value, walk.path));
  }
}

function encodeElementary(type: ElementaryType, value: boolean | bigint | string | Buffer): Buffer {
  if (typeof value === 'string') return keccak256(Buffer.from(value));
  if (typeof value === 'boolean') return padStart(Buffer.of(Number(value)));
  // Two's complement of 256 bits, whatever the width of the type.
  if (typeof value === 'bigint') {
    return Buffer.from(BigInt.asUintN(256, value).toString(16).padStart(64, '0'), 'hex');
  }
  if (type.kind === 'bytes') return keccak256(value);
  return type.kind === 'address' ? padStart(value) : padEnd(value);
}

function encodeArray(walk: Walk, type: Type & { kind: 'array' }, value: JsonValue): Buffer {
  if (!Array.isArray(value)) throw invalidTypedData(walk.path, 'expected an array');
  if (type.length !== null && value.length !== type.length) {
    throw invalidTypedData(walk.path, `expected ${type.length} elements, found ${value.length}`);
  }
  if (value.length > walk.valuesLeft) throw invalidTypedData(walk.path, `expected at most ${maxValues} values`);
  const words = value.map((element, index) => {
    walk.path.push(index);
    const word = encode(walk, type.of, element);
    walk.path.pop();
    return word;
  });
  return keccak256(...words);
}

function padStart(bytes: Buffer): Buffer {
  const word = Buffer.alloc(32);
  word.set(bytes, 32 - bytes.length);
  return word;
}

function padEnd(bytes: Buffer): Buffer {
  const word = Buffer.alloc(32);
  word.set(bytes);
  return word;
}
