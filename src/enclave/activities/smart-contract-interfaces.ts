/** What an uploaded interface and its address must be, for each kind of chain. */
import { base58 } from '@scure/base';
import { parseAddress } from '../../decode/ethereum-address.ts';
import { parseContractInterface } from '../../decode/facts/contract-interface.ts';
import { parseJsonObject } from '../../decode/json-text.ts';
import { invalidArgument } from '../../protocol/errors.ts';
import type { SmartContractInterface } from '../state.ts';
import { invalidField } from './refusals.ts';

type Type = SmartContractInterface['type'];

/** Characters of an IDL, as of an ABI. */
const maxLength = 400_000;

/** The address as it is kept: of Ethereum in lower case, of Solana as it came. */
export function contractAddress(type: Type, address: string, field: string): string {
  if (type === 'SMART_CONTRACT_INTERFACE_TYPE_ETHEREUM') {
    if (!parseAddress(address)) throw invalidField(field, 'expected an Ethereum address');
    return address.toLowerCase();
  }
  if (!isProgramId(address)) throw invalidField(field, 'expected a Solana program id');
  return address;
}

/** Refuses what is no ABI (Ethereum) or no IDL (Solana). */
export function checkInterface(type: Type, json: string, field: string): void {
  if (type === 'SMART_CONTRACT_INTERFACE_TYPE_ETHEREUM') parseContractInterface(json);
  else checkIdl(json, field);
}

/** An IDL is a JSON object with the lists `instructions` and `types`, which may be empty. */
function checkIdl(json: string, field: string): void {
  const invalid = (description: string) =>
    invalidArgument('provided IDL is invalid', { fields: [{ field, description }] });
  if (json.length > maxLength) throw invalid(`expected at most ${maxLength} characters`);
  const idl = parseJsonObject(json, invalid);
  for (const name of ['instructions', 'types']) {
    if (!Array.isArray(idl[name])) throw invalid(`expected the list \`${name}\``);
  }
}

/** 32 bytes in base58: at most 44 characters, which bounds the decoding. */
function isProgramId(address: string): boolean {
  if (!/^[1-9A-HJ-NP-Za-km-z]{32,44}$/.test(address)) return false;
  return base58.decode(address).length === 32;
}
