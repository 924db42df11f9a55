import { type AccountKind, accountRules } from './account-kinds.ts';

/** A nonce is a key of 192 bits and a count of 64 (ERC-4337, "Semi-abstracted Nonce Support"). */
export const nonceKey = (nonce: bigint): bigint => nonce >> 64n;
export const nonceSequence = (nonce: bigint): bigint => BigInt.asUintN(64, nonce);

/** Coinbase Smart Wallet: the key of operations that are valid on every chain. */
const replayableKey = 8453n;

/**
 * What the account does because of the nonce's key, besides counting: nothing (`plain`), checking the signature with another
 * of its plugins (`validator`, `permission`), or installing code that is not in the operation's hash (`enable`, `install`,
 * `prep`), or taking the operation on every chain (`replayable`); `unknown` for modes that are not among these.
 */
export function nonceMode(kind: AccountKind, nonce: bigint): string {
  const digits = nonceKey(nonce).toString(16).padStart(48, '0');
  switch (accountRules[kind].nonceKey) {
    case 'plain':
      return 'plain';
    case 'coinbase':
      return nonceKey(nonce) === replayableKey ? 'replayable' : 'plain';
    // Mode ‖ type ‖ id (20 bytes) ‖ key (2 bytes).
    case 'kernel':
      if (digits.startsWith('00')) return kernelTypes[digits.slice(2, 4)] ?? 'unknown';
      return kernelModes[digits.slice(0, 2)] ?? 'unknown';
    // Key (3 bytes) ‖ mode ‖ validator (20 bytes).
    case 'nexus':
      return nexusModes[digits.slice(6, 8)] ?? 'unknown';
  }
}

const kernelTypes: Readonly<Record<string, string>> = { '00': 'plain', '01': 'validator', '02': 'permission' };
const kernelModes: Readonly<Record<string, string>> = { '01': 'enable', '02': 'install' };
const nexusModes: Readonly<Record<string, string>> = { '00': 'plain', '01': 'enable', '02': 'prep' };
