/**
 * Strict decoding of the contract ABI: only what an encoder makes (Solidity documentation, "Contract ABI Specification",
 * strict mode) is decoded. Every offset points to where the last part ended, padding is zero, integers are in their range,
 * nothing is left over: so encoding the values again gives the same bytes, and what is shown is all that the call says.
 */
import { AbiError, type AbiType } from './abi-types.ts';
import type { Value } from './value.ts';

type Reader = {
  readonly bytes: Buffer;
  /** Where the dynamic part that was read last ends. */
  end: number;
};

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * The values of `type`, a tuple, that `bytes` from `start` on are: addresses and bytes as lower-case hex, integers as bigint,
 * arrays and tuples as arrays. Throws `AbiError`.
 */
export function decodeAbi(type: AbiType & { readonly kind: 'tuple' }, bytes: Buffer, start = 0): readonly Value[] {
  const reader: Reader = { bytes, end: start };
  const values = readSequence(reader, type.components, type.components.length, start);
  if (reader.end !== bytes.length) throw new AbiError(`${bytes.length - reader.end} bytes after the arguments`);
  return values;
}

/** `count` values side by side whose heads begin at `base`; `types` are theirs, or the one of all. */
function readSequence(reader: Reader, types: readonly AbiType[] | AbiType, count: number, base: number): Value[] {
  const typeAt = (index: number) => (Array.isArray(types) ? types[index] : types) as AbiType;
  let head = base;
  let tail = base;
  for (let index = 0; index < count; index++) tail += typeAt(index).head;
  if (tail > reader.bytes.length) throw new AbiError('the arguments end too early');
  const values: Value[] = [];
  for (let index = 0; index < count; index++) {
    const type = typeAt(index);
    if (type.dynamic) {
      if (readLength(reader, head) !== tail - base) throw new AbiError('an offset that no encoder makes');
      values.push(readDynamic(reader, type, tail));
      tail = reader.end;
    } else {
      values.push(readStatic(reader, type, head));
    }
    head += type.head;
  }
  reader.end = tail;
  return values;
}

function readDynamic(reader: Reader, type: AbiType, at: number): Value {
  switch (type.kind) {
    case 'bytes':
    case 'string':
      return readBytes(reader, type.kind, at);
    case 'array': {
      if (type.length !== null) return readSequence(reader, type.of, type.length, at);
      const length = readLength(reader, at);
      // Before any element is looked at, as a length is four bytes and the elements are as many.
      if (length * type.of.head > reader.bytes.length) throw new AbiError('an array longer than the arguments');
      return readSequence(reader, type.of, length, at + 32);
    }
    case 'tuple':
      return readSequence(reader, type.components, type.components.length, at);
    default:
      throw new AbiError('not a dynamic type');
  }
}

function readBytes(reader: Reader, kind: 'bytes' | 'string', at: number): string {
  const length = readLength(reader, at);
  const [start, end] = [at + 32, at + 32 + length];
  reader.end = start + Math.ceil(length / 32) * 32;
  if (reader.end > reader.bytes.length) throw new AbiError('the arguments end too early');
  checkBytes(reader, end, reader.end, 0);
  if (kind === 'bytes') return hexOf(reader, start, end);
  try {
    return utf8.decode(reader.bytes.subarray(start, end));
  } catch {
    throw new AbiError('a string that is not UTF-8');
  }
}

function readStatic(reader: Reader, type: AbiType, at: number): Value {
  switch (type.kind) {
    case 'address':
      checkBytes(reader, at, at + 12, 0);
      return hexOf(reader, at + 12, at + 32);
    case 'bool': {
      checkBytes(reader, at, at + 31, 0);
      const byte = reader.bytes[at + 31] as number;
      if (byte > 1) throw new AbiError('a bool that is neither 0 nor 1');
      return byte === 1;
    }
    case 'integer':
      return readInteger(reader, type.signed, type.bits, at);
    case 'fixedBytes':
      checkBytes(reader, at + type.size, at + 32, 0);
      return hexOf(reader, at, at + type.size);
    case 'array': {
      const { of, length } = type;
      return Array.from({ length: length as number }, (_, index) => readStatic(reader, of, at + index * of.head));
    }
    case 'tuple': {
      let head = at;
      return type.components.map((component) => {
        const value = readStatic(reader, component, head);
        head += component.head;
        return value;
      });
    }
    default:
      throw new AbiError('not a static type');
  }
}

function readInteger(reader: Reader, signed: boolean, bits: number, at: number): bigint {
  const { bytes } = reader;
  const first = at + 32 - bits / 8;
  const negative = signed && (bytes[first] as number) >= 0x80;
  checkBytes(reader, at, first, negative ? 0xff : 0);
  if (negative) return BigInt.asIntN(bits, BigInt(hexOf(reader, first, at + 32)));
  // Most integers are small, for which this is several times as fast.
  let start = first;
  while (start < at + 26 && bytes[start] === 0) start++;
  return start >= at + 26 ? BigInt(bytes.readUIntBE(at + 26, 6)) : BigInt(hexOf(reader, start, at + 32));
}

/** A length or an offset: more than 32 bits of it fit nowhere. */
function readLength(reader: Reader, at: number): number {
  if (at + 32 > reader.bytes.length) throw new AbiError('the arguments end too early');
  checkBytes(reader, at, at + 28, 0);
  return reader.bytes.readUInt32BE(at + 28);
}

function checkBytes({ bytes }: Reader, from: number, to: number, expected: 0 | 0xff): void {
  for (let at = from; at < to; at++) if (bytes[at] !== expected) throw new AbiError('padding that no encoder makes');
}

function hexOf({ bytes }: Reader, from: number, to: number): string {
  return `0x${bytes.toString('hex', from, to)}`;
}
