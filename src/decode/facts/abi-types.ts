/** Types of the contract ABI (Solidity documentation, "Contract ABI Specification"). */
import type { JsonValue } from '../../protocol/json.ts';
import { isObject } from '../json-text.ts';

/** `head`: bytes in the head of an encoding, 32 for a dynamic type; `text`: the canonical name. */
export type AbiType = { readonly head: number; readonly dynamic: boolean; readonly text: string } & (
  | { readonly kind: 'address' | 'bool' | 'string' | 'bytes' }
  | { readonly kind: 'integer'; readonly signed: boolean; readonly bits: number }
  | { readonly kind: 'fixedBytes'; readonly size: number }
  | { readonly kind: 'array'; readonly of: AbiType; readonly length: number | null }
  | { readonly kind: 'tuple'; readonly components: readonly AbiType[] }
);

export type AbiParameter = { readonly name: string; readonly type: AbiType };

/** What is wrong with a type or with the bytes of one, in words for the caller. */
export class AbiError extends Error {
  override name = 'AbiError';
}

const maxDepth = 8;
/** Bytes: a fixed array of a fixed array of … takes few characters, and its head is read before any length is. */
const maxHead = 131_072;

/** The parameters that the `inputs` of an ABI in JSON are; each has a `name`, which may be empty. Throws `AbiError`. */
export function parseParameters(inputs: JsonValue | undefined, depth = 0): AbiParameter[] {
  if (!Array.isArray(inputs)) throw new AbiError('expected a list of parameters');
  if (depth > maxDepth) throw new AbiError(`expected at most ${maxDepth} levels of types`);
  return inputs.map((input) => {
    if (!isObject(input)) throw new AbiError('expected parameters as {name, type}');
    const { name, type, components } = input;
    if (typeof name !== 'string') throw new AbiError('expected a name for every parameter (it may be empty)');
    if (typeof type !== 'string') throw new AbiError(`expected a type for the parameter ${quote(name)}`);
    return { name, type: parseType(type, components, depth) };
  });
}

const arrayForm = /^(.+)\[(0|[1-9]\d{0,5})?\]$/;

function parseType(text: string, components: JsonValue | undefined, depth: number): AbiType {
  const array = arrayForm.exec(text);
  if (array) {
    if (depth >= maxDepth) throw new AbiError(`expected at most ${maxDepth} levels of types`);
    const of = parseType(array[1] as string, components, depth + 1);
    return arrayType(of, array[2] === undefined ? null : Number(array[2]));
  }
  if (text === 'tuple') return tupleType(parseParameters(components, depth + 1).map(({ type }) => type));
  return elementaryType(text);
}

/** No array of nothing: it would have elements without end in no bytes, and Solidity has none either. */
function arrayType(of: AbiType, length: number | null): AbiType {
  if (length === 0 || of.head === 0) throw new AbiError('arrays of length 0 and of empty tuples are not supported');
  const dynamic = length === null || of.dynamic;
  const head = dynamic ? 32 : checkedHead(of.head * (length as number));
  if (length !== null) checkedHead(of.head * length);
  return { kind: 'array', of, length, dynamic, head, text: `${of.text}[${length ?? ''}]` };
}

export function tupleType(components: readonly AbiType[]): AbiType {
  const dynamic = components.some((component) => component.dynamic);
  const head = dynamic ? 32 : checkedHead(components.reduce((sum, component) => sum + component.head, 0));
  return { kind: 'tuple', components, dynamic, head, text: `(${components.map(({ text }) => text).join(',')})` };
}

function elementaryType(text: string): AbiType {
  const oneWord = { head: 32, dynamic: false, text };
  switch (text) {
    case 'address':
    case 'bool':
      return { kind: text, ...oneWord };
    case 'string':
    case 'bytes':
      return { kind: text, ...oneWord, dynamic: true };
    case 'uint':
    case 'int':
      return elementaryType(`${text}256`);
    case 'function':
      return { kind: 'fixedBytes', size: 24, ...oneWord };
  }
  const [, letters, digits] = /^(u?int|bytes)([1-9]\d{0,2})$/.exec(text) ?? [];
  const size = Number(digits);
  if (letters === 'bytes' && size <= 32) return { kind: 'fixedBytes', size, ...oneWord };
  if (letters && letters !== 'bytes' && size <= 256 && size % 8 === 0) {
    return { kind: 'integer', signed: letters === 'int', bits: size, ...oneWord };
  }
  throw new AbiError(`unknown type ${quote(text)}`);
}

function checkedHead(head: number): number {
  if (head > maxHead) throw new AbiError('a type of this size does not fit any transaction');
  return head;
}

export const quote = (text: string): string => `"${text.slice(0, 64).toWellFormed()}"`;
