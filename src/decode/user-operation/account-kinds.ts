/** The smart accounts whose operations are understood: what their owner's key signs, and how they read a nonce. */
import type { EntryPointVersion } from './user-operation.ts';

export type AccountRules = {
  /** The versions of the EntryPoint that there are such accounts for. */
  readonly entryPoints: readonly EntryPointVersion[];
  /**
   * What the key signs: the operation's hash as it is, the hash as a personal message (EIP-191), or Safe's SafeOp (EIP-712),
   * which may be bound to a time.
   */
  readonly signs: 'hash' | 'personal_message' | 'safe_operation';
  /** How the account reads the upper 192 bits of the nonce; `plain`: not at all. */
  readonly nonceKey: 'plain' | 'kernel' | 'nexus' | 'coinbase';
  /** The account is an EOA that runs code by EIP-7702. */
  readonly delegated: boolean;
};

const rules = {
  /** SimpleAccount of the EntryPoint's own repository, by version; from 0.8 on it signs typed data, which is the hash. */
  'simple-0.6': { entryPoints: ['0.6'], signs: 'personal_message', nonceKey: 'plain', delegated: false },
  'simple-0.7': { entryPoints: ['0.7'], signs: 'personal_message', nonceKey: 'plain', delegated: false },
  'simple-0.8': { entryPoints: ['0.8', '0.9'], signs: 'hash', nonceKey: 'plain', delegated: false },
  /** Simple7702Account. */
  'simple-7702': { entryPoints: ['0.8', '0.9'], signs: 'hash', nonceKey: 'plain', delegated: true },
  /** ZeroDev's Kernel with its ECDSA validator, in version 3 also as an EOA. */
  'kernel-2': { entryPoints: ['0.6'], signs: 'personal_message', nonceKey: 'plain', delegated: false },
  'kernel-3': { entryPoints: ['0.7'], signs: 'personal_message', nonceKey: 'kernel', delegated: false },
  /** A Safe with Safe4337Module, of one owner. */
  'safe-4337': { entryPoints: ['0.6', '0.7'], signs: 'safe_operation', nonceKey: 'plain', delegated: false },
  /** Coinbase Smart Wallet. */
  coinbase: { entryPoints: ['0.6'], signs: 'hash', nonceKey: 'coinbase', delegated: false },
  /** Biconomy Nexus with its K1 validator. */
  nexus: { entryPoints: ['0.7'], signs: 'personal_message', nonceKey: 'nexus', delegated: false },
  /** Other modular accounts (ERC-7579) whose validator takes a personal message. */
  'erc-7579': { entryPoints: ['0.7', '0.8', '0.9'], signs: 'personal_message', nonceKey: 'plain', delegated: false },
  /** Openfort's OPF7702 with a key of type EOA. */
  'openfort-7702': { entryPoints: ['0.8', '0.9'], signs: 'hash', nonceKey: 'plain', delegated: true },
  /** Biconomy Smart Account 2 with its ECDSA ownership module. */
  biconomy: { entryPoints: ['0.6'], signs: 'personal_message', nonceKey: 'plain', delegated: false },
  /** Alchemy's Light Account, version 1.1 and version 2. */
  'light-1': { entryPoints: ['0.6'], signs: 'personal_message', nonceKey: 'plain', delegated: false },
  'light-2': { entryPoints: ['0.7'], signs: 'personal_message', nonceKey: 'plain', delegated: false },
} as const satisfies Record<string, AccountRules>;

export type AccountKind = keyof typeof rules;

export const accountRules: Readonly<Record<AccountKind, AccountRules>> = rules;

/** An account as it is registered, and the bounds of one signature. Addresses are lower-case hex. */
export type SmartAccount = {
  readonly kind: AccountKind;
  /** Of accounts that run code by EIP-7702: what was pinned, at registration, as being of `kind`. */
  readonly delegate?: string;
  /** Of `coinbase`: the index of the owner that signs, 0 where absent. */
  readonly ownerIndex?: bigint;
  /** Of `safe-4337`: the module, the canonical one where absent. */
  readonly module?: string;
  /** Of `biconomy`: the module that checks the owner's signature, the canonical one where absent. */
  readonly validator?: string;
  /** Of `safe-4337`: from when to when the signature holds, in Unix seconds; 0 where absent: not bound. */
  readonly validAfter?: bigint;
  readonly validUntil?: bigint;
};
