/** A solution as a request, in the form in which `policy decide` takes cases. */
import type { JsonObject, JsonValue } from '../../protocol/json.ts';
import { activityClass } from '../schema/activities.ts';
import { formatDuration, formatTimestamp } from '../time.ts';
import type { Field, Type } from '../types.ts';
import { schema } from './schema.ts';
import type { Term } from './smt.ts';
import { integerOf, textOf } from './solver.ts';
import { type FactSymbol, type Role, type Symbols, symbolKey, tags } from './symbols.ts';

export type Witness = {
  readonly facts: JsonObject;
  readonly approvers: readonly JsonValue[];
  readonly credentials: readonly JsonValue[];
  readonly rootQuorum: { readonly threshold: number; readonly userIds: readonly string[] };
};

type Reader = {
  readonly symbols: Symbols;
  readonly values: ReadonlyMap<Term, string>;
  readonly texts: ReadonlyMap<string, string>;
  /** Texts that were made up, by number. */
  readonly made: Map<string, string>;
  /** Numbers that addresses are. */
  readonly addresses: ReadonlySet<string>;
};

export function readWitness(symbols: Symbols, values: ReadonlyMap<Term, string>): Witness {
  const texts = new Map([...symbols.texts].map(([text, id]) => [String(id), text]));
  const all = [...symbols.all.values()];
  const addresses = new Set(all.flatMap(({ type, term }) => (type.kind === 'address' ? [values.get(term) ?? ''] : [])));
  const reader: Reader = { symbols, values, texts, made: new Map(), addresses };
  const roots = Object.entries(schema).flatMap(([name, field]) => {
    const value = name === 'activity' ? activityOf(reader, field) : fieldOf(reader, name, field);
    return value === undefined ? [] : [[name, value] as const];
  });
  const { approvers, credentials, ...facts } = Object.fromEntries(
    roots.filter(([name]) => name !== 'time'),
  ) as JsonObject;
  const [first] = approvers as { id: string }[];
  const isRoot = solved(reader, '?root', 'bool') === 'true';
  const history = membersAt(reader, 'history');
  return {
    facts: { ...facts, ...(history && { history }) },
    approvers: approvers as JsonValue[],
    credentials: (credentials ?? []) as JsonValue[],
    rootQuorum: { threshold: 1, userIds: isRoot && first ? [first.id] : [] },
  };
}

const symbolAt = ({ symbols }: Reader, place: string, role: Role = 'value'): FactSymbol | undefined =>
  symbols.all.get(symbolKey(place, role));

function solved(reader: Reader, place: string, role: Role = 'value'): string | undefined {
  const symbol = symbolAt(reader, place, role);
  return symbol && reader.values.get(symbol.term);
}

/** Undefined for what is absent, and for what nothing asks about. */
function fieldOf(reader: Reader, place: string, field: Field): JsonValue | undefined {
  if (solved(reader, place, 'present') === 'false') return undefined;
  return readAt(reader, place, field.type, always.has(place) || solved(reader, place, 'present') === 'true');
}

const always = new Set(['organization', 'request', 'approvers']);

/** `required`: something has to stand there. */
function readAt(reader: Reader, place: string, type: Type, required: boolean): JsonValue | undefined {
  switch (type.kind) {
    case 'struct': {
      const fields = Object.entries(type.fields).flatMap(([name, field]) => {
        const value = fieldOf(reader, `${place}.${name}`, field);
        return value === undefined ? [] : [[name, value] as const];
      });
      return fields.length > 0 || required ? Object.fromEntries(fields) : undefined;
    }
    case 'list':
      return listAt(reader, place, type, required);
    case 'map':
      return membersAt(reader, place) ?? (required ? {} : undefined);
    case 'value':
      return dynamicAt(reader, place, type);
    default:
      return scalarAt(reader, place, type) ?? (required ? exampleOf(reader, place, type, '') : undefined);
  }
}

function scalarAt(reader: Reader, place: string, type: Type): JsonValue | undefined {
  const value = solved(reader, place);
  if (value === undefined) return undefined;
  switch (type.kind) {
    case 'bool':
      return value === 'true';
    case 'int':
    case 'uint':
      return { $int: String(integerOf(value)) };
    case 'timestamp':
      return formatTimestamp(integerOf(value));
    case 'duration':
      return formatDuration(integerOf(value));
    default:
      return readText(reader, place, type, value);
  }
}

function readText(reader: Reader, place: string, type: Type, value: string): JsonValue {
  if (value.startsWith('"')) return textOf(value);
  return reader.texts.get(value) ?? exampleOf(reader, place, type, value);
}

/** Something that is none of the known texts: the same for the same number, and another one for each number. */
function exampleOf(reader: Reader, place: string, type: Type, number: string): JsonValue {
  if (type.kind === 'bool') return false;
  if (type.kind === 'bytes') return '0x';
  if (!textual.has(type.kind)) return 0;
  const { symbols, made, addresses } = reader;
  const known = made.get(number);
  if (known !== undefined) return known;
  const shape = addresses.has(number) ? 40 : hexPlace.test(place) ? 8 : 0;
  for (let index = made.size + 1; ; index++) {
    const text = shape > 0 ? `0x${index.toString(16).padStart(shape, 'e')}` : `${nameOf(place)}-${index}`;
    if (symbols.texts.has(text)) continue;
    made.set(number === '' ? place : number, text);
    return text;
  }
}

const textual = new Set<Type['kind']>(['string', 'address', 'caseless', 'value']);
const hexPlace = /\.(?:data|selector|function_signature)$/;

/** `approver` of `approvers[0].id`, otherwise what the place itself is called. */
const nameOf = (place: string): string =>
  /(\w+?)s?\[\d+\]\.id$/.exec(place)?.[1] ?? /(\w+)\W*$/.exec(place)?.[1] ?? 'text';

function listAt(
  reader: Reader,
  place: string,
  type: Type & { kind: 'list' },
  required: boolean,
): JsonValue | undefined {
  const length = solved(reader, place, 'length');
  if (length !== undefined) {
    return Array.from(
      { length: Number(integerOf(length)) },
      (_, index) => readAt(reader, `${place}[${index}]`, type.element, true) ?? null,
    );
  }
  const members = [...reader.symbols.all.values()].filter((symbol) => symbol.place === place && symbol.role === 'has');
  if (members.length === 0) return required ? [] : undefined;
  return members.filter(({ term }) => reader.values.get(term) === 'true').map(({ member }) => member);
}

/** The members of a map that something asks about. */
function membersAt(reader: Reader, place: string): JsonObject | undefined {
  const prefix = `${place}["`;
  const found = [...reader.symbols.all.values()].filter(
    (symbol) => symbol.role === 'present' && symbol.place.startsWith(prefix),
  );
  const entries = found.flatMap((symbol) => {
    const rest = symbol.place.slice(place.length);
    const key = memberKey(rest);
    if (key === undefined || reader.values.get(symbol.term) !== 'true') return [];
    return [[key, readAt(reader, symbol.place, symbol.type, true) ?? ''] as const];
  });
  return found.length > 0 ? Object.fromEntries(entries) : undefined;
}

/** Of `["key"]`; undefined for a place inside of it. */
function memberKey(rest: string): string | undefined {
  try {
    const [key] = JSON.parse(rest) as [string];
    return key;
  } catch {
    return undefined;
  }
}

function dynamicAt(reader: Reader, place: string, type: Type): JsonValue {
  const tag = tags[Number(solved(reader, place, 'tag') ?? '1')];
  switch (tag) {
    case 'int':
      return { $int: String(integerOf(solved(reader, place, 'int') ?? '0')) };
    case 'bool':
      return solved(reader, place, 'bool') === 'true';
    case 'list': {
      const length = Number(solved(reader, place, 'length') ?? '0');
      return Array.from({ length }, (_, index) => dynamicAt(reader, `${place}[${index}]`, type));
    }
    case 'map':
      return membersAt(reader, place) ?? {};
    default:
      return readText(reader, place, type, solved(reader, place, 'text') ?? '');
  }
}

/** The rest follows from the type. */
function activityOf(reader: Reader, { type }: Field): JsonObject {
  const fields = type.kind === 'struct' ? type.fields : {};
  const params = fields.params && readAt(reader, 'activity.params', fields.params.type, true);
  const kind = reader.texts.get(solved(reader, 'activity.kind') ?? '') ?? '';
  const rootKind = activityClass(kind) ? {} : { resource: '', action: '' };
  return { type: typeOf(reader, kind), ...rootKind, params: params ?? {} };
}

function typeOf(reader: Reader, kind: string): string {
  const value = solved(reader, 'activity.type');
  if (value?.startsWith('"')) return textOf(value);
  const known = value === undefined ? undefined : reader.texts.get(value);
  if (known !== undefined) return known;
  const plain = `ACTIVITY_TYPE_${kind}`;
  const versions = ['', '_V2', '_V3', '_V4', '_V5', '_V6', '_V7', '_V8', '_V9'].map((version) => plain + version);
  return versions.find((version) => !reader.symbols.texts.has(version)) ?? plain;
}
