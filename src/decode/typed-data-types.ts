/** The types of EIP-712: struct definitions, checked and linked to each other. */
import type { JsonValue } from '../protocol/json.ts';
import { isObject } from './json-text.ts';
import { keccak256 } from './keccak.ts';
import { invalidTypedData, type Path } from './typed-data-error.ts';

export type Type =
  | { readonly kind: 'address' | 'bool' | 'string' | 'bytes' }
  | { readonly kind: 'fixedBytes'; readonly size: number }
  | { readonly kind: 'integer'; readonly signed: boolean; readonly bits: number }
  | { readonly kind: 'array'; readonly of: Type; readonly length: number | null }
  | { readonly kind: 'struct'; readonly name: string };

export type Field = { readonly name: string; readonly type: Type };

export type Struct = {
  readonly fields: readonly Field[];
  /** keccak256 of `encodeType`. */
  readonly typeHash: Buffer;
};

type Member = Field & { readonly text: string };

/** Real ones have a few types and tens of fields; `encodeType` of a chain of types grows with the square of its length. */
const maxTypes = 32;
const maxFields = 256;
const maxDimensions = 8;

/** EIP-712 wants identifiers; names in use have colons as well. None of it can be mistaken for what `encodeType` puts between. */
const nameForm = /^[\w$][\w$:.-]{0,63}$/;
const elementary = /^(?:address|bool|string|function|bytes\d*|u?int\d*|u?fixed[\dx]*)$/;
const arrayForm = /^(.+)\[(0|[1-9]\d{0,5})?\]$/;

/** The structs of `types` by name. Throws INVALID_ARGUMENT for a type that is unknown, given twice, or part of itself. */
export function parseTypes(types: JsonValue): ReadonlyMap<string, Struct> {
  if (!isObject(types)) throw invalidTypedData(['types'], 'expected an object');
  const names = Object.keys(types);
  if (names.length > maxTypes) throw invalidTypedData(['types'], `expected at most ${maxTypes} types`);
  const members = new Map(names.map((name) => [name, parseMembers(name, types[name] as JsonValue)]));
  if ([...members.values()].flat().length > maxFields) {
    throw invalidTypedData(['types'], `expected at most ${maxFields} fields in all types together`);
  }
  const closures = new Map<string, ReadonlySet<string>>();
  for (const name of names) closureOf(name, members, closures, []);
  return new Map(names.map((name) => [name, toStruct(name, members, closures)]));
}

function toStruct(
  name: string,
  members: ReadonlyMap<string, readonly Member[]>,
  closures: ReadonlyMap<string, ReadonlySet<string>>,
): Struct {
  const others = [...(closures.get(name) as ReadonlySet<string>)].filter((other) => other !== name).sort();
  const definitions = [name, ...others].map((type) => {
    const fields = members.get(type) as readonly Member[];
    return `${type}(${fields.map((field) => `${field.text} ${field.name}`).join(',')})`;
  });
  return { fields: members.get(name) as readonly Member[], typeHash: keccak256(Buffer.from(definitions.join(''))) };
}

function parseMembers(struct: string, fields: JsonValue): Member[] {
  const path = ['types', struct];
  if (!nameForm.test(struct) || elementary.test(struct)) throw invalidTypedData(path, 'not a name for a struct type');
  if (!Array.isArray(fields)) throw invalidTypedData(path, 'expected a list of fields');
  const seen = new Set<string>();
  return fields.map((field, index) => {
    const at = [...path, index];
    if (!isObject(field)) throw invalidTypedData(at, 'expected {name, type}');
    const { name, type: text } = field;
    if (typeof name !== 'string' || !nameForm.test(name))
      throw invalidTypedData([...at, 'name'], 'expected an identifier');
    if (seen.has(name)) throw invalidTypedData([...at, 'name'], 'given twice');
    seen.add(name);
    if (typeof text !== 'string') throw invalidTypedData([...at, 'type'], 'expected the name of a type');
    return { name, text, type: parseType(text, [...at, 'type'], maxDimensions) };
  });
}

function parseType(text: string, path: Path, dimensions: number): Type {
  const array = arrayForm.exec(text);
  if (array) {
    if (dimensions === 0) throw invalidTypedData(path, `expected at most ${maxDimensions} dimensions`);
    const length = array[2] === undefined ? null : Number(array[2]);
    return { kind: 'array', of: parseType(array[1] as string, path, dimensions - 1), length };
  }
  switch (text) {
    case 'address':
    case 'bool':
    case 'string':
    case 'bytes':
      return { kind: text };
  }
  const [, letters, digits] = /^(u?int|bytes)([1-9]\d{0,2})$/.exec(text) ?? [];
  const size = Number(digits);
  if (letters === 'bytes' && size <= 32) return { kind: 'fixedBytes', size };
  if (letters !== 'bytes' && size <= 256 && size % 8 === 0) {
    return { kind: 'integer', signed: letters === 'int', bits: size };
  }
  if (!nameForm.test(text) || elementary.test(text)) throw invalidTypedData(path, 'unknown type');
  return { kind: 'struct', name: text };
}

/** Names of all structs that `name` is made of, itself included. */
function closureOf(
  name: string,
  members: ReadonlyMap<string, readonly Member[]>,
  closures: Map<string, ReadonlySet<string>>,
  ancestors: readonly string[],
): ReadonlySet<string> {
  const known = closures.get(name);
  if (known) return known;
  if (ancestors.includes(name)) throw invalidTypedData(['types', name], 'the type is part of itself');
  const closure = new Set([name]);
  for (const [index, field] of (members.get(name) as readonly Member[]).entries()) {
    const struct = structOf(field.type);
    if (struct === undefined) continue;
    if (!members.has(struct)) throw invalidTypedData(['types', name, index, 'type'], 'unknown type');
    for (const part of closureOf(struct, members, closures, [...ancestors, name])) closure.add(part);
  }
  closures.set(name, closure);
  return closure;
}

function structOf(type: Type): string | undefined {
  if (type.kind === 'array') return structOf(type.of);
  return type.kind === 'struct' ? type.name : undefined;
}
