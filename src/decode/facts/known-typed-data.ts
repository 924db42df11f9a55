/** Typed data whose meaning is known: what it lets others take, and the calls it lets them make. */
import { keccak256 } from '../keccak.ts';
import { type Call, type Move, maxUint256, type Transfer } from './call.ts';
import { type Calls, limits, readCalls } from './calls.ts';
import { permit2Move } from './permit2-functions.ts';
import { safeCall, safeRefund } from './safe.ts';
import { smartAccountTypes, unwrap, type WrappedContents } from './smart-account-typed-data.ts';
import type { TypedDataSource } from './typed-data-facts.ts';
import { struct, type Value } from './value.ts';

export type KnownTypedData = {
  /** `unknown` for all others. */
  readonly kind: string;
  readonly owner: string | undefined;
  readonly spender: string | undefined;
  /** Absent where there are several. */
  readonly token: string | undefined;
  readonly amount: bigint | undefined;
  /** Until when an allowance of Permit2 holds, in Unix seconds. */
  readonly expiration: bigint | undefined;
  readonly deadline: bigint | undefined;
  readonly nonce: bigint | undefined;
  /** Typed data or a text that are wrapped for a smart account (ERC-7739); the rest says what these mean. */
  readonly contents: WrappedContents | undefined;
  readonly transfers: readonly Transfer[];
  readonly calls: readonly Call[];
  /** What it allows is all shown; never so for `unknown`. */
  readonly calls_complete: boolean;
};

export type Meaning = Partial<Omit<KnownTypedData, 'kind' | 'transfers' | 'calls' | 'calls_complete'>> & {
  readonly moves?: readonly Move[];
  readonly calls?: Calls;
};

export type Values = ReadonlyMap<string, Value>;
/** undefined where the domain is not one for it. */
export type Reader = (values: Values, source: TypedDataSource) => Meaning | undefined;

const permit2Contracts = new Set([
  '0x000000000022d473030f116ddee9f6b43ac78ba3',
  // ZKsync Era.
  '0x0000000000225e31d15943971f47ad3022f714fa',
]);

const details = 'PermitDetails(address token,uint160 amount,uint48 expiration,uint48 nonce)';
const permissions = 'TokenPermissions(address token,uint256 amount)';
const authorization = '(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)';

/** By `encodeType` (EIP-712), as the hash of that is what is signed. */
const known: readonly (readonly [encodeType: string, kind: string, read: Reader])[] = [
  ['Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)', 'permit', ofToken(permit)],
  [
    'Permit(address holder,address spender,uint256 nonce,uint256 expiry,bool allowed)',
    'dai_permit',
    ofToken(daiPermit),
  ],
  [`TransferWithAuthorization${authorization}`, 'transfer_with_authorization', ofToken(authorized)],
  [`ReceiveWithAuthorization${authorization}`, 'receive_with_authorization', ofToken(authorized)],
  [
    `PermitSingle(PermitDetails details,address spender,uint256 sigDeadline)${details}`,
    'permit2_single',
    ofPermit2(single),
  ],
  [
    `PermitBatch(PermitDetails[] details,address spender,uint256 sigDeadline)${details}`,
    'permit2_batch',
    ofPermit2(batch),
  ],
  [
    `PermitTransferFrom(TokenPermissions permitted,address spender,uint256 nonce,uint256 deadline)${permissions}`,
    'permit2_transfer',
    ofPermit2(transfer),
  ],
  [
    `PermitBatchTransferFrom(TokenPermissions[] permitted,address spender,uint256 nonce,uint256 deadline)${permissions}`,
    'permit2_batch_transfer',
    ofPermit2(batchTransfer),
  ],
  [
    'SafeTx(address to,uint256 value,bytes data,uint8 operation,uint256 safeTxGas,uint256 baseGas,uint256 gasPrice,address gasToken,address refundReceiver,uint256 nonce)',
    'safe_tx',
    safeTransaction,
  ],
  ...smartAccountTypes,
];

let byTypeHash: ReadonlyMap<string, (typeof known)[number]> | undefined;

/** What the typed data mean, where that is known. */
export function readKnown(source: TypedDataSource): KnownTypedData {
  const wrapped = unwrap(source);
  const [kind, meaning] = readMeaning(wrapped?.source ?? source);
  if (!wrapped) return toFacts(kind, meaning);
  const contents = struct({ ...wrapped.contents, kind });
  return struct({ ...toFacts(kind, meaning), kind: wrapped.kind, owner: wrapped.account, contents });
}

function readMeaning(source: TypedDataSource): readonly [kind: string, meaning: Meaning | undefined] {
  byTypeHash ??= new Map(known.map((entry) => [keccak256(Buffer.from(entry[0])).toString('hex'), entry]));
  const [, kind, read] = byTypeHash.get(source.typeHash) ?? [];
  const meaning = read?.(source.values, source);
  return [meaning ? (kind as string) : 'unknown', meaning];
}

function toFacts(kind: string, meaning: Meaning | undefined): KnownTypedData {
  const { calls, moves = [], ...fields } = meaning ?? {};
  const own = moves.map((move) => struct({ ...move, depth: 0n }));
  const transfers = [...own, ...(calls?.transfers ?? [])];
  return struct({
    kind,
    owner: undefined,
    spender: undefined,
    token: undefined,
    amount: undefined,
    expiration: undefined,
    deadline: undefined,
    nonce: undefined,
    contents: undefined,
    ...fields,
    transfers: transfers.slice(0, limits.transfers),
    calls: calls?.calls ?? [],
    calls_complete: meaning !== undefined && calls?.complete !== false && transfers.length <= limits.transfers,
  });
}

type TokenMeaning = { owner: string; spender: string; amount: bigint; deadline: bigint; nonce?: bigint };

/** Signed for the contract of a token, which is the domain's. */
function ofToken(read: (values: Values) => TokenMeaning & { kind: Move['kind'] }): Reader {
  return (values, { domain }) => {
    const token = domain.verifying_contract;
    if (token === '') return undefined;
    const { kind, ...meaning } = read(values);
    const { owner: from, spender: to, amount } = meaning;
    return { ...meaning, token, moves: [{ standard: 'ERC-20', kind, token, from, to, amount, id: 0n }] };
  };
}

function permit(values: Values) {
  const { owner, spender, value, nonce, deadline } = fields<{
    owner: string;
    spender: string;
    value: bigint;
    nonce: bigint;
    deadline: bigint;
  }>(values);
  return { kind: 'approval' as const, owner, spender, amount: value, nonce, deadline };
}

/** An expiry of 0 is none. */
function daiPermit(values: Values) {
  const { holder, spender, nonce, expiry, allowed } = fields<{
    holder: string;
    spender: string;
    nonce: bigint;
    expiry: bigint;
    allowed: boolean;
  }>(values);
  const deadline = expiry === 0n ? maxUint256 : expiry;
  return { kind: 'approval' as const, owner: holder, spender, amount: allowed ? maxUint256 : 0n, nonce, deadline };
}

/** Its nonce is no number but 32 bytes. */
function authorized(values: Values) {
  const { from, to, value, validBefore } = fields<{ from: string; to: string; value: bigint; validBefore: bigint }>(
    values,
  );
  return { kind: 'transfer' as const, owner: from, spender: to, amount: value, deadline: validBefore };
}

type Permission = { token: string; amount: bigint; expiration?: bigint; nonce?: bigint };
type Permit2Meaning = {
  kind: 'approval' | 'transfer';
  permitted: readonly Values[];
  spender: string;
  deadline: bigint;
  nonce?: bigint;
  several: boolean;
};

/** Signed for Permit2; the owner is who signs. */
function ofPermit2(read: (values: Values) => Permit2Meaning): Reader {
  return (values, { domain, signer }) => {
    if (!permit2Contracts.has(domain.verifying_contract)) return undefined;
    const { kind, permitted, several, ...meaning } = read(values);
    const all = permitted.map((permission) => fields<Permission>(permission));
    const { spender } = meaning;
    const moves = all.map(({ token, amount }) => permit2Move(kind, token, signer, spender, amount));
    return { owner: signer, ...(several ? {} : all[0]), ...meaning, moves };
  };
}

type Grant<T> = { details: T; spender: string; sigDeadline: bigint };
type Taking<T> = { permitted: T; spender: string; nonce: bigint; deadline: bigint };

function single(values: Values): Permit2Meaning {
  const { details, spender, sigDeadline: deadline } = fields<Grant<Values>>(values);
  return { kind: 'approval', permitted: [details], spender, deadline, several: false };
}

function batch(values: Values): Permit2Meaning {
  const { details, spender, sigDeadline: deadline } = fields<Grant<readonly Values[]>>(values);
  return { kind: 'approval', permitted: details, spender, deadline, several: true };
}

function transfer(values: Values): Permit2Meaning {
  const { permitted, ...taking } = fields<Taking<Values>>(values);
  return { kind: 'transfer', permitted: [permitted], ...taking, several: false };
}

function batchTransfer(values: Values): Permit2Meaning {
  return { kind: 'transfer', ...fields<Taking<readonly Values[]>>(values), several: true };
}

/** Signed for a Safe, which is the domain's contract: one of the owners' consents to a call. */
function safeTransaction(values: Values, { domain, interfaceOf }: TypedDataSource): Meaning | undefined {
  const owner = domain.verifying_contract;
  if (owner === '') return undefined;
  const { to, value, data, operation, gasPrice, gasToken, refundReceiver, nonce } = fields<{
    to: string;
    value: bigint;
    data: string;
    operation: bigint;
    gasPrice: bigint;
    gasToken: string;
    refundReceiver: string;
    nonce: bigint;
  }>(values);
  const sites = safeCall(owner, to, value, data, operation);
  const calls = sites ? readCalls(sites, interfaceOf) : { calls: [], transfers: [], complete: false };
  return { owner, nonce, calls, moves: safeRefund(owner, gasPrice, gasToken, refundReceiver) };
}

/** The members of a struct whose type is known by its hash. */
function fields<T extends object>(values: Values): T {
  return Object.fromEntries(values) as T;
}
