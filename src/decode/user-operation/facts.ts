import { type AuthorizationFacts, authorizationFacts } from '../facts/authorization-facts.ts';
import type { Call, Transfer } from '../facts/call.ts';
import type { InterfaceOf } from '../facts/calls.ts';
import { lazyStruct } from '../facts/value.ts';
import { bytesToHex } from '../hex.ts';
import { type OperationCalls, readOperationCalls } from './account-calls.ts';
import { accountRules, type SmartAccount } from './account-kinds.ts';
import { knownDelegates } from './known-delegates.ts';
import { maxCostOf } from './max-cost.ts';
import { nonceKey, nonceMode, nonceSequence } from './nonce.ts';
import type { UserOperation } from './user-operation.ts';

/** `userop`. Addresses and bytes are lower-case hex; an address that there is none of is empty. */
export type UserOperationFacts = {
  readonly entry_point: string;
  readonly entry_point_version: string;
  readonly chain_id: bigint;
  readonly sender: string;
  readonly account_kind: string;
  /** The address of the key that signs. */
  readonly owner: string;
  readonly nonce: bigint;
  readonly nonce_key: bigint;
  readonly nonce_sequence: bigint;
  /** `plain`, `validator`, `permission`, `enable`, `install`, `prep`, `replayable` or `unknown`: see `nonceMode`. */
  readonly nonce_mode: string;
  readonly factory: string;
  readonly factory_data: string;
  /** `factory_data` are run before the account checks its signature: a factory, or with EIP-7702 the account's own code. */
  readonly deploys: boolean;
  /** The code that the account runs by EIP-7702, where the operation or the account names it. */
  readonly delegate: string;
  /** It is the one of the account, or known to be of the account's kind. */
  readonly delegate_known: boolean;
  /** The operation is void under any other. */
  readonly delegate_bound: boolean;
  /** Goes along to be signed. */
  readonly authorization: AuthorizationFacts | undefined;
  readonly paymaster: string;
  readonly paymaster_data: string;
  /** The paymaster's signature is not bound by the account's (EntryPoint 0.9). */
  readonly paymaster_signs_later: boolean;
  readonly call_gas_limit: bigint;
  readonly verification_gas_limit: bigint;
  readonly pre_verification_gas: bigint;
  readonly paymaster_verification_gas_limit: bigint;
  readonly paymaster_post_op_gas_limit: bigint;
  readonly max_fee_per_gas: bigint;
  readonly max_priority_fee_per_gas: bigint;
  /** Wei, whoever pays: all limits at the highest fee. */
  readonly max_cost: bigint;
  readonly call_data: string;
  /** Of `call_data`: empty where these have less than 4 bytes. */
  readonly selector: string;
  /** The account's calls and those inside them, as in `eth.tx.calls`. */
  readonly calls: readonly Call[];
  readonly calls_complete: boolean;
  readonly transfers: readonly Transfer[];
  /** Wei that leave the account, in all calls together. */
  readonly total_value: bigint;
  /** There may be more than `calls` show: see `readOperationCalls`; or the delegate is not known, or called before. */
  readonly opaque: boolean;
  readonly has_delegatecall: boolean;
  readonly try_mode: boolean;
  readonly is_admin: boolean;
  readonly admin_functions: readonly string[];
  /** Unix seconds, 0 for none; absent where the signature does not bind a time. */
  readonly valid_after: bigint | undefined;
  readonly valid_until: bigint | undefined;
};

/**
 * The facts of an operation of `account`, that the key with the address `signer` is to sign. What the calldata mean is read when it
 * is first asked for, by the account's kind alone; it never throws.
 */
export function userOperationFacts(
  operation: UserOperation,
  account: SmartAccount,
  signer: string,
  interfaceOf: InterfaceOf,
): UserOperationFacts {
  const last = known.get(operation);
  const isSame = last?.account === account && last.signer === signer && last.interfaceOf === interfaceOf;
  if (last && isSame) return last.facts;
  const facts = build({ operation, account, signer, interfaceOf, calls: undefined });
  known.set(operation, { account, signer, interfaceOf, facts });
  return facts;
}

/** Policies and answer ask for the same. */
const known = new WeakMap<
  UserOperation,
  Omit<Source, 'operation' | 'calls'> & { readonly facts: UserOperationFacts }
>();

type Source = {
  readonly operation: UserOperation;
  readonly account: SmartAccount;
  readonly signer: string;
  readonly interfaceOf: InterfaceOf;
  /** Worked out when they are first asked for. */
  calls: OperationCalls | undefined;
};

const callsOf = (source: Source): OperationCalls =>
  (source.calls ??= readOperationCalls(source.operation, source.account.kind, source.interfaceOf));

type LazyField =
  | 'factory_data'
  | 'authorization'
  | 'paymaster_data'
  | 'max_cost'
  | 'call_data'
  | 'selector'
  | 'calls'
  | 'calls_complete'
  | 'transfers'
  | 'total_value'
  | 'opaque'
  | 'has_delegatecall'
  | 'try_mode'
  | 'is_admin'
  | 'admin_functions';

const build = lazyStruct<Source, Omit<UserOperationFacts, LazyField>, Pick<UserOperationFacts, LazyField>>(
  ({ operation, account, signer }) => {
    const { nonce, factory, delegate, delegateBound } = operation;
    const isTimed = accountRules[account.kind].signs === 'safe_operation';
    return {
      entry_point: operation.entryPoint.address,
      entry_point_version: operation.entryPoint.version,
      chain_id: operation.chainId,
      sender: operation.sender,
      account_kind: account.kind,
      owner: signer,
      nonce,
      nonce_key: nonceKey(nonce),
      nonce_sequence: nonceSequence(nonce),
      nonce_mode: nonceMode(account.kind, nonce),
      factory: factory ?? '',
      deploys: factory !== null && (!delegateBound || operation.factoryData.length > 0),
      delegate: delegate ?? '',
      delegate_known: delegate !== null && isKnown(delegate, account),
      delegate_bound: delegateBound,
      paymaster: operation.paymaster ?? '',
      paymaster_signs_later: operation.paymasterSigned,
      call_gas_limit: operation.callGasLimit,
      verification_gas_limit: operation.verificationGasLimit,
      pre_verification_gas: operation.preVerificationGas,
      paymaster_verification_gas_limit: operation.paymasterVerificationGasLimit,
      paymaster_post_op_gas_limit: operation.paymasterPostOpGasLimit,
      max_fee_per_gas: operation.maxFeePerGas,
      max_priority_fee_per_gas: operation.maxPriorityFeePerGas,
      valid_after: isTimed ? (account.validAfter ?? 0n) : undefined,
      valid_until: isTimed ? (account.validUntil ?? 0n) : undefined,
    };
  },
  {
    factory_data: ({ operation }) => bytesToHex(operation.factoryData),
    authorization: ({ operation: { authorization } }) =>
      authorization ? authorizationFacts(authorization) : undefined,
    paymaster_data: ({ operation }) => bytesToHex(operation.paymasterData),
    max_cost: ({ operation }) => maxCostOf(operation),
    call_data: ({ operation }) => bytesToHex(operation.callData),
    selector: ({ operation: { callData } }) => (callData.length >= 4 ? bytesToHex(callData.subarray(0, 4)) : ''),
    calls: (source) => callsOf(source).calls,
    calls_complete: (source) => callsOf(source).complete && !isOpaque(source),
    transfers: (source) => callsOf(source).transfers,
    total_value: (source) => callsOf(source).value,
    opaque: isOpaque,
    has_delegatecall: (source) => callsOf(source).delegatecall,
    try_mode: (source) => callsOf(source).tries,
    is_admin: (source) => callsOf(source).admin,
    admin_functions: (source) => callsOf(source).adminFunctions,
  },
);

const isKnown = (delegate: string, { kind, delegate: pinned }: SmartAccount): boolean =>
  delegate === pinned || knownDelegates.get(delegate)?.kind === kind;

function isOpaque(source: Source): boolean {
  const { factoryData, delegateBound } = source.operation;
  // With EIP-7702 the account's own code is called with what follows the flag, whatever that does.
  return callsOf(source).opaque || isForeign(source) || (delegateBound && factoryData.length > 0);
}

/** The account will run code that it is not known what it makes of the calldata. */
const isForeign = ({ operation: { delegate }, account }: Source): boolean =>
  delegate !== null && !isKnown(delegate, account);
