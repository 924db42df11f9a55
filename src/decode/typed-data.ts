import type { JsonObject, JsonValue } from '../protocol/json.ts';
import { isObject, parseJsonObject } from './json-text.ts';
import { keccak256 } from './keccak.ts';
import { invalidTypedData } from './typed-data-error.ts';
import { parseTypes, type Struct } from './typed-data-types.ts';
import { hashStruct } from './typed-data-values.ts';

const maxLength = 262_144;

/** The fields that `EIP712Domain` may have, in their order. */
const domainFields = [
  { name: 'name', type: 'string' },
  { name: 'version', type: 'string' },
  { name: 'chainId', type: 'uint256' },
  { name: 'verifyingContract', type: 'address' },
  { name: 'salt', type: 'bytes32' },
];

export type TypedData = {
  readonly structs: ReadonlyMap<string, Struct>;
  readonly primaryType: string;
  readonly domain: JsonObject;
  /** Nothing when the domain alone is signed, as its own primary type. */
  readonly message: JsonValue;
};

/**
 * The EIP-712 digest of typed data, 32 bytes: of the JSON text `{domain, message, primaryType, types}` as `eth_signTypedData_v4`
 * takes it. Where `types` has no `EIP712Domain`, it is made of the members that `domain` has. Integers are JSON integers up to
 * 2^53−1, digits, or `0x` and hex digits. Throws INVALID_ARGUMENT `invalid typed data: …` that names the place.
 */
export function hashTypedData(text: string): Buffer {
  const { structs, primaryType, domain, message } = parseTypedData(text);
  const separator = hashStruct(structs, 'EIP712Domain', domain, 'domain');
  const rest = primaryType === 'EIP712Domain' ? Buffer.alloc(0) : hashStruct(structs, primaryType, message, 'message');
  return keccak256(Buffer.of(0x19, 0x01), separator, rest);
}

/** The document that `text` is, its types checked and linked, but not yet its values. Throws as `hashTypedData` does. */
export function parseTypedData(text: string): TypedData {
  const { domain = {}, message, primaryType, types } = readDocument(text);
  if (!isObject(types)) throw invalidTypedData(['types'], 'expected an object');
  if (!isObject(domain)) throw invalidTypedData(['domain'], 'expected an object');
  const structs = parseTypes({ EIP712Domain: domainFields.filter(({ name }) => name in domain), ...types });
  checkDomain(domain, structs.get('EIP712Domain') as Struct);
  if (typeof primaryType !== 'string' || !structs.has(primaryType)) {
    throw invalidTypedData(['primaryType'], 'expected the name of one of the types');
  }
  const isNone = message === undefined || (isObject(message) && Object.keys(message).length === 0);
  if (primaryType === 'EIP712Domain' && !isNone) {
    throw invalidTypedData(['message'], 'expected none, as the primary type is EIP712Domain');
  }
  return { structs, primaryType, domain, message: message ?? null };
}

/** A domain that names a chain or a contract must be bound to it. */
function checkDomain(domain: JsonObject, struct: Struct): void {
  const stray = Object.keys(domain).find((key) => !struct.fields.some(({ name }) => name === key));
  if (stray !== undefined)
    throw invalidTypedData(['domain', stray], 'not a field of EIP712Domain: it would not be signed');
}

function readDocument(text: string): JsonObject {
  if (text.length > maxLength) throw invalidTypedData([], `expected at most ${maxLength} characters`);
  const document = parseJsonObject(text, (problem) => invalidTypedData([], problem));
  const stray = Object.keys(document).find((key) => !['domain', 'message', 'primaryType', 'types'].includes(key));
  if (stray !== undefined) throw invalidTypedData([stray], 'unknown field');
  return document;
}
