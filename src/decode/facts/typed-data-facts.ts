import type { JsonObject, JsonValue } from '../../protocol/json.ts';
import { bytesToHex } from '../hex.ts';
import { isObject } from '../json-text.ts';
import { parseTypedData } from '../typed-data.ts';
import { readElementary } from '../typed-data-elementary.ts';
import { invalidTypedData } from '../typed-data-error.ts';
import type { Struct, Type } from '../typed-data-types.ts';
import type { InterfaceOf } from './calls.ts';
import { type KnownTypedData, readKnown } from './known-typed-data.ts';
import { lazyStruct, struct, type Value } from './value.ts';

export type DomainFacts = {
  readonly name: string;
  readonly version: string;
  readonly chain_id: bigint;
  readonly verifying_contract: string;
  readonly salt: string;
};

/** `eth.eip_712`: Turnkey's fields, with its meaning, and `values` and `known`, which are ours. */
export type TypedDataFacts = {
  readonly primary_type: string;
  /** Members that are absent, or of another type than EIP-712 has for them, are empty or 0. */
  readonly domain: DomainFacts;
  /** As submitted: numbers as bigint, strings as written. What the types do not name is not signed, and not here. */
  readonly message: ReadonlyMap<string, Value>;
  /** The same by type: integers as bigint however written, addresses and bytes in lower case. */
  readonly values: ReadonlyMap<string, Value>;
  readonly known: KnownTypedData;
};

/** The facts of the JSON text of typed data, signed for `signer`. Throws as `hashTypedData` does. */
export function typedDataFacts(text: string, signer: string, interfaceOf: InterfaceOf): TypedDataFacts {
  const { structs, primaryType, domain, message } = parseTypedData(text);
  const { given, values } =
    primaryType === 'EIP712Domain' ? nothing : readStruct({ structs, path: ['message'] }, primaryType, message);
  return build({
    structs,
    primaryType,
    typeHash: structs.get(primaryType)?.typeHash.toString('hex') as string,
    domain: domainFacts(structs, domain),
    given,
    values,
    signer,
    interfaceOf,
  });
}

export type TypedDataSource = {
  readonly structs: ReadonlyMap<string, Struct>;
  readonly primaryType: string;
  readonly typeHash: string;
  readonly domain: DomainFacts;
  readonly given: ReadonlyMap<string, Value>;
  readonly values: ReadonlyMap<string, Value>;
  readonly signer: string;
  readonly interfaceOf: InterfaceOf;
};

const build = lazyStruct<TypedDataSource, Omit<TypedDataFacts, 'known'>, Pick<TypedDataFacts, 'known'>>(
  ({ primaryType, domain, given, values }) => ({ primary_type: primaryType, domain, message: given, values }),
  { known: readKnown },
);

function domainFacts(structs: ReadonlyMap<string, Struct>, domain: JsonObject): DomainFacts {
  const { values } = readStruct({ structs, path: ['domain'] }, 'EIP712Domain', domain);
  const kinds = new Map(structs.get('EIP712Domain')?.fields.map(({ name, type }) => [name, type.kind]));
  const read = <T>(name: string, kind: Type['kind'], otherwise: T): T =>
    kinds.get(name) === kind ? (values.get(name) as T) : otherwise;
  return struct({
    name: read('name', 'string', ''),
    version: read('version', 'string', ''),
    chain_id: read('chainId', 'integer', 0n),
    verifying_contract: read('verifyingContract', 'address', ''),
    salt: read('salt', 'fixedBytes', ''),
  });
}

type Walk = { readonly structs: ReadonlyMap<string, Struct>; readonly path: (string | number)[] };

/** A value as submitted and by its type. */
type Read = { readonly given: Value; readonly values: Value };
type ReadStruct = { readonly given: ReadonlyMap<string, Value>; readonly values: ReadonlyMap<string, Value> };

const nothing: ReadStruct = { given: new Map(), values: new Map() };

function readStruct(walk: Walk, name: string, value: JsonValue): ReadStruct {
  if (!isObject(value)) throw invalidTypedData(walk.path, `expected an object of type ${name}`);
  const given = new Map<string, Value>();
  const values = new Map<string, Value>();
  for (const field of (walk.structs.get(name) as Struct).fields) {
    walk.path.push(field.name);
    const member = value[field.name];
    if (member === undefined) throw invalidTypedData(walk.path, 'expected this field');
    const read = readValue(walk, field.type, member);
    given.set(field.name, read.given);
    values.set(field.name, read.values);
    walk.path.pop();
  }
  return { given, values };
}

function readValue(walk: Walk, type: Type, value: JsonValue): Read {
  if (type.kind === 'struct') return readStruct(walk, type.name, value);
  if (type.kind === 'array') return readArray(walk, type, value);
  const read = readElementary(type, value, walk.path);
  return { given: asGiven(value), values: Buffer.isBuffer(read) ? bytesToHex(read) : read };
}

/** An elementary value that was read is a number, a string or a boolean. */
function asGiven(value: JsonValue): Value {
  return typeof value === 'number' ? BigInt(value) : (value as string | boolean);
}

function readArray(walk: Walk, { of, length }: Type & { kind: 'array' }, value: JsonValue): Read {
  if (!Array.isArray(value)) throw invalidTypedData(walk.path, 'expected an array');
  if (length !== null && value.length !== length) {
    throw invalidTypedData(walk.path, `expected ${length} elements, found ${value.length}`);
  }
  const all = value.map((element, index) => {
    walk.path.push(index);
    const read = readValue(walk, of, element);
    walk.path.pop();
    return read;
  });
  return { given: all.map(({ given }) => given), values: all.map(({ values }) => values) };
}
