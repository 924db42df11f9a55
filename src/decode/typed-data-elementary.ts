/** Values of EIP-712's elementary types, as they are written in JSON. */
import type { JsonValue } from '../protocol/json.ts';
import { parseAddress } from './ethereum-address.ts';
import { hexToBytes } from './hex.ts';
import { parseInteger } from './integer.ts';
import { invalidTypedData, type Path } from './typed-data-error.ts';
import type { Type } from './typed-data-types.ts';

export type ElementaryType = Exclude<Type, { kind: 'struct' | 'array' }>;

/** `value` as its type has it; addresses and bytes as bytes. Throws INVALID_ARGUMENT that names `path`. */
export function readElementary(type: ElementaryType, value: JsonValue, path: Path): boolean | bigint | string | Buffer {
  switch (type.kind) {
    case 'string':
      if (typeof value !== 'string') throw invalidTypedData(path, 'expected a string');
      return value;
    case 'bytes':
      return readBytes(value, path, 'expected 0x and hex digits');
    case 'fixedBytes': {
      const expected = `expected 0x and hex digits of ${type.size} bytes`;
      const bytes = readBytes(value, path, expected);
      if (bytes.length !== type.size) throw invalidTypedData(path, expected);
      return bytes;
    }
    case 'address': {
      const address = typeof value === 'string' ? parseAddress(value) : undefined;
      if (!address) throw invalidTypedData(path, 'expected an address (0x and 40 digits; mixed case as in EIP-55)');
      return address;
    }
    case 'bool':
      if (typeof value !== 'boolean') throw invalidTypedData(path, 'expected true or false');
      return value;
    case 'integer':
      return readInteger(type, value, path);
  }
}

function readInteger(type: Type & { kind: 'integer' }, value: JsonValue, path: Path): bigint {
  const integer = parseInteger(value);
  const name = `${type.signed ? '' : 'u'}int${type.bits}`;
  if (integer === undefined)
    throw invalidTypedData(path, `expected an integer, in digits or 0x and hex digits (${name})`);
  const fits = type.signed ? BigInt.asIntN(type.bits, integer) : BigInt.asUintN(type.bits, integer);
  if (fits !== integer) throw invalidTypedData(path, `out of the range of ${name}`);
  return integer;
}

function readBytes(value: JsonValue, path: Path, expected: string): Buffer {
  const bytes = typeof value === 'string' && value.startsWith('0x') ? hexToBytes(value) : undefined;
  if (!bytes) throw invalidTypedData(path, expected);
  return bytes;
}
