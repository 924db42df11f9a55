/** Ethereum transactions before and after their signature: legacy, EIP-155, and EIP-2718 with types 1 to 4. */
import { CountersignError, invalidArgument } from '../protocol/errors.ts';
import { type ItemReader, itemReader } from './ethereum-transaction-items.ts';
import { hexToBytes } from './hex.ts';
import { keccak256 } from './keccak.ts';
import { decodeRlp, encodeRlp, RlpError, type RlpItem, rlpInteger } from './rlp.ts';

/** Addresses and hashes are `0x` and lower-case hex, amounts are in wei. */
type Common = {
  /** null for a legacy transaction that is bound to no chain (before EIP-155). */
  readonly chainId: bigint | null;
  readonly nonce: bigint;
  readonly gas: bigint;
  /** null creates a contract. */
  readonly to: string | null;
  readonly value: bigint;
  readonly data: Buffer;
  /** Keccak-256 of the bytes as they came, worked out when it is read: it takes longer than all of the rest. */
  readonly signingHash: Buffer;
  /** The items as they came, without the two empty ones of EIP-155. */
  readonly items: readonly RlpItem[];
};

export type AccessListEntry = { readonly address: string; readonly storageKeys: readonly string[] };

/** A signed EIP-7702 authorization. */
export type SignedAuthorization = {
  readonly chainId: bigint;
  readonly address: string;
  readonly nonce: bigint;
  readonly yParity: bigint;
  readonly r: bigint;
  readonly s: bigint;
};

type GasPrice = { readonly gasPrice: bigint };
type DynamicFees = { readonly maxPriorityFeePerGas: bigint; readonly maxFeePerGas: bigint };
type AccessList = { readonly accessList: readonly AccessListEntry[] };
type Blobs = { readonly maxFeePerBlobGas: bigint; readonly blobVersionedHashes: readonly string[] };

export type EthereumTransaction = Common &
  (
    | ({ readonly type: 'legacy' } & GasPrice)
    | ({ readonly type: 'eip2930' } & GasPrice & AccessList)
    | ({ readonly type: 'eip1559' } & DynamicFees & AccessList)
    | ({ readonly type: 'eip4844' } & DynamicFees & AccessList & Blobs)
    | ({ readonly type: 'eip7702' } & DynamicFees &
        AccessList & { readonly authorizationList: readonly SignedAuthorization[] })
  );

type TypedTransaction = Exclude<EthereumTransaction, { type: 'legacy' }>;
type Decoded<T> = T extends unknown ? Omit<T, 'signingHash' | 'items'> : never;

type Envelope = { readonly items: number; readonly read: (next: ItemReader) => Decoded<TypedTransaction> };

/** By type byte. The members of an object literal are evaluated in order, and here that is the order on the wire. */
const envelopes: Readonly<Record<number, Envelope>> = {
  1: {
    items: 8,
    read: (next) => ({
      type: 'eip2930',
      chainId: next.chainId(),
      nonce: next.uint64('nonce'),
      gasPrice: next.uint256('gasPrice'),
      ...call(next),
      accessList: next.accessList(),
    }),
  },
  2: { items: 9, read: (next) => ({ type: 'eip1559', ...dynamicFeeCall(next) }) },
  3: {
    items: 11,
    read: (next) => ({
      type: 'eip4844',
      ...withRecipient(dynamicFeeCall(next)),
      maxFeePerBlobGas: next.uint256('maxFeePerBlobGas'),
      blobVersionedHashes: next.blobVersionedHashes(),
    }),
  },
  4: {
    items: 10,
    read: (next) => ({
      type: 'eip7702',
      ...withRecipient(dynamicFeeCall(next)),
      authorizationList: next.authorizationList(),
    }),
  },
};

const typeBytes = { eip2930: 1, eip1559: 2, eip4844: 3, eip7702: 4 } as const;

/**
 * Decodes the hex (with or without `0x`) of an unsigned transaction; of EIP-4844 the body alone, without blobs. Throws
 * INVALID_ARGUMENT `failed to parse transaction` for whatever is not the one encoding of an unsigned transaction, and
 * UNIMPLEMENTED for other EIP-2718 types.
 */
export function decodeUnsignedTransaction(hex: string): EthereumTransaction {
  const bytes = hexToBytes(hex);
  if (!bytes?.length) throw failure('expected hex of an unsigned transaction');
  const first = bytes[0] as number;
  try {
    if (first >= 0xc0) return withSigningHash(decodeLegacy(readList(bytes)), bytes);
    if (first >= 0x80) throw new RlpError('expected a list or a transaction type');
    const envelope = envelopes[first];
    if (!envelope) throw notImplemented(first);
    const items = readList(bytes.subarray(1));
    checkCount(items, envelope.items);
    return withSigningHash({ ...envelope.read(itemReader(items)), items }, bytes);
  } catch (error) {
    throw error instanceof RlpError ? failure(error.message) : error;
  }
}

type Unhashed = EthereumTransaction extends infer T ? (T extends unknown ? Omit<T, 'signingHash'> : never) : never;

function withSigningHash(transaction: Unhashed, bytes: Buffer): EthereumTransaction {
  return Object.defineProperty(transaction as EthereumTransaction, 'signingHash', {
    get: () => keccak256(bytes),
    enumerable: true,
  });
}

/** Hex without `0x` of `transaction` with its signature: `r`, `s` of 64 hex digits and `v` the parity "00" or "01". */
export function signedTransaction(
  transaction: EthereumTransaction,
  signature: { readonly r: string; readonly s: string; readonly v: string },
): string {
  const [r, s, parity] = [BigInt(`0x${signature.r}`), BigInt(`0x${signature.s}`), BigInt(`0x${signature.v}`)];
  const { type, chainId, items } = transaction;
  const v = type !== 'legacy' ? parity : chainId === null ? 27n + parity : 35n + 2n * chainId + parity;
  const list = encodeRlp([...items, rlpInteger(v), rlpInteger(r), rlpInteger(s)]).toString('hex');
  return type === 'legacy' ? list : `0${typeBytes[type]}${list}`;
}

function decodeLegacy(items: readonly RlpItem[]): Omit<EthereumTransaction & { type: 'legacy' }, 'signingHash'> {
  const isBound = items.length === 9 && items.slice(7).every((item) => item.length === 0 && Buffer.isBuffer(item));
  if (!isBound) checkCount(items, 6);
  const next = itemReader(items);
  return {
    type: 'legacy',
    nonce: next.uint64('nonce'),
    gasPrice: next.uint256('gasPrice'),
    ...call(next),
    chainId: isBound ? next.chainId() : null,
    items: items.slice(0, 6),
  };
}

const call = (next: ItemReader) => ({
  gas: next.uint64('gas'),
  to: next.recipient(),
  value: next.uint256('value'),
  data: next.bytes('data'),
});

const dynamicFeeCall = (next: ItemReader) => ({
  chainId: next.chainId(),
  nonce: next.uint64('nonce'),
  maxPriorityFeePerGas: next.uint256('maxPriorityFeePerGas'),
  maxFeePerGas: next.uint256('maxFeePerGas'),
  ...call(next),
  accessList: next.accessList(),
});

/** Types 3 and 4 cannot create a contract. */
function withRecipient<T extends { to: string | null }>(fields: T): T {
  if (fields.to === null) throw new RlpError('to: expected an address, as this type cannot create a contract');
  return fields;
}

function readList(bytes: Buffer): readonly RlpItem[] {
  const item = decodeRlp(bytes);
  if (Buffer.isBuffer(item)) throw new RlpError('expected an RLP list');
  return item;
}

function checkCount(items: readonly RlpItem[], expected: number): void {
  if (items.length === expected) return;
  if (items.length === expected + 3)
    throw new RlpError('the transaction is signed already: expected it without v, r, s');
  if (Array.isArray(items[0]))
    throw new RlpError('expected the transaction alone, without blobs, commitments and proofs');
  throw new RlpError(`expected ${expected} items, found ${items.length}`);
}

const failure = (description: string): CountersignError =>
  invalidArgument('failed to parse transaction', {
    reason: 'INVALID_TRANSACTION',
    fields: [{ field: 'parameters.unsignedTransaction', description }],
  });

function notImplemented(type: number): CountersignError {
  const name = `0x${type.toString(16).padStart(2, '0')}${type === 0x76 ? ' (Tempo)' : ''}`;
  return new CountersignError('UNIMPLEMENTED', `transaction type not implemented: ${name}`, {
    reason: 'UNSUPPORTED_TRANSACTION_TYPE',
  });
}
