import type { JsonValue } from '../../protocol/json.ts';
import { bytesToHex } from '../hex.ts';
import { keccak256 } from '../keccak.ts';
import { AbiError, type AbiParameter, type AbiType, parseParameters, quote, tupleType } from './abi-types.ts';

export type AbiFunction = {
  readonly name: string;
  /** Canonical, as `transfer(address,uint256)`. */
  readonly signature: string;
  /** `0x` and 8 digits. */
  readonly selector: string;
  readonly inputs: readonly AbiParameter[];
  /** All of the inputs. */
  readonly type: AbiType & { readonly kind: 'tuple' };
};

/** The function `name` with the `inputs` of an ABI in JSON. Unnamed parameters are named by their position. Throws `AbiError`. */
export function abiFunction(name: string, given: JsonValue | undefined): AbiFunction {
  const inputs = parseParameters(given).map((input, index) => ({ ...input, name: input.name || String(index) }));
  const twice = inputs.find((input, index) => inputs.findIndex((other) => other.name === input.name) !== index);
  if (twice) throw new AbiError(`the parameter ${quote(twice.name)} is given twice`);
  const type = tupleType(inputs.map((input) => input.type)) as AbiType & { kind: 'tuple' };
  const signature = `${name}${type.text}`;
  return { name, signature, selector: selectorOf(signature), inputs, type };
}

/** The first 4 bytes of the hash of the canonical signature. */
export function selectorOf(signature: string): string {
  return bytesToHex(keccak256(Buffer.from(signature)).subarray(0, 4));
}
