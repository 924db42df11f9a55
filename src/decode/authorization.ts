import { type CountersignError, invalidArgument } from '../protocol/errors.ts';
import { parseAddress } from './ethereum-address.ts';
import { parseInteger } from './integer.ts';
import { parseJsonObject } from './json-text.ts';
import { keccak256 } from './keccak.ts';
import { encodeRlp, rlpInteger } from './rlp.ts';

export type Authorization = {
  /** 0 stands for every chain. */
  readonly chainId: bigint;
  /** 20 bytes. */
  readonly address: Buffer;
  readonly nonce: bigint;
};

/**
 * The digest of an EIP-7702 authorization, keccak256(0x05 ‖ rlp([chainId, address, nonce])), of the JSON text `{address,
 * chainId, nonce}`. Throws INVALID_ARGUMENT `invalid authorization: …`.
 */
export const hashAuthorization = (text: string): Buffer => authorizationHash(parseAuthorization(text));

/** The digest that is signed (EIP-7702, "Set code transaction"). */
export const authorizationHash = ({ chainId, address, nonce }: Authorization): Buffer =>
  keccak256(Buffer.of(0x05), encodeRlp([rlpInteger(chainId), address, rlpInteger(nonce)]));

/** The authorization that is the JSON text `{address, chainId, nonce}`. Throws INVALID_ARGUMENT `invalid authorization: …`. */
export function parseAuthorization(text: string): Authorization {
  const { address: addressText, chainId: chainIdValue, nonce: nonceValue, ...others } = parseJsonObject(text, invalid);
  const [stray] = Object.keys(others);
  if (stray !== undefined) throw invalid('expected address, chainId and nonce, and no other field');
  const address = typeof addressText === 'string' ? parseAddress(addressText) : undefined;
  if (!address) throw invalid('address: expected 0x and 40 digits (mixed case as in EIP-55)');
  const chainId = parseInteger(chainIdValue);
  if (chainId === undefined || BigInt.asUintN(256, chainId) !== chainId) throw invalid('chainId: expected a uint256');
  const nonce = parseInteger(nonceValue);
  if (nonce === undefined || BigInt.asUintN(64, nonce) !== nonce) throw invalid('nonce: expected a uint64');
  return { chainId, address, nonce };
}

const invalid = (description: string): CountersignError =>
  invalidArgument(`invalid authorization: ${description}`, { fields: [{ field: 'parameters.payload', description }] });
