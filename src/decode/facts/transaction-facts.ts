import type { EthereumTransaction } from '../ethereum-transaction.ts';
import { bytesToHex } from '../hex.ts';
import { type AuthorizationFacts, authorizationFacts } from './authorization-facts.ts';
import type { Call, CallSite, Transfer } from './call.ts';
import { type Calls, type InterfaceOf, type Reading, readCall, readCalls } from './calls.ts';
import { lazyStruct, struct, type Value } from './value.ts';

/** `eth.tx`: Turnkey's fields, with its meaning, and from `selector` on ours. */
export type TransactionFacts = {
  readonly from: string;
  /** Empty for the creation of a contract. */
  readonly to: string;
  readonly data: string;
  readonly value: bigint;
  readonly gas: bigint;
  readonly gas_price: bigint;
  /** 0 for a legacy transaction that is bound to no chain. */
  readonly chain_id: bigint;
  readonly nonce: bigint;
  readonly max_fee_per_gas: bigint;
  readonly max_priority_fee_per_gas: bigint;
  readonly max_fee_per_blob_gas: bigint;
  readonly type: string;
  /** Of an uploaded interface alone. */
  readonly function_name: string;
  readonly function_signature: string;
  readonly contract_call_args: ReadonlyMap<string, Value> | undefined;
  /** `0x` and 8 digits; empty where the data have less than 4 bytes. */
  readonly selector: string;
  readonly access_list: readonly { readonly address: string; readonly storage_keys: readonly string[] }[];
  readonly authorization_list: readonly AuthorizationFacts[];
  readonly blob_versioned_hashes: readonly string[];
  readonly call: Call;
  readonly calls: readonly Call[];
  readonly calls_complete: boolean;
  readonly transfers: readonly Transfer[];
};

const types = { legacy: 'LEGACY', eip2930: 'TYPE_1', eip1559: 'TYPE_2', eip4844: 'TYPE_3', eip7702: 'TYPE_4' };

/**
 * The facts of `transaction`, signed for `from` (lower case). What the calldata mean is read when it is first asked for.
 */
export function transactionFacts(
  transaction: EthereumTransaction,
  from: string,
  interfaceOf: InterfaceOf,
): TransactionFacts {
  const { to, value } = transaction;
  const data = bytesToHex(transaction.data);
  const site: CallSite =
    to === null
      ? { kind: 'create', from, to: '', value, data, self: '' }
      : { kind: 'call', from, to, value, data, self: to };
  return build({
    transaction,
    site,
    reading: once(() => readCall(site, interfaceOf)),
    tree: once(() => readCalls([site], interfaceOf)),
  });
}

type Source = {
  readonly transaction: EthereumTransaction;
  readonly site: CallSite;
  readonly reading: () => Reading;
  readonly tree: () => Calls;
};

type LazyField =
  | 'function_name'
  | 'function_signature'
  | 'contract_call_args'
  | 'access_list'
  | 'authorization_list'
  | 'call'
  | 'calls'
  | 'calls_complete'
  | 'transfers';

const build = lazyStruct<Source, Omit<TransactionFacts, LazyField>, Pick<TransactionFacts, LazyField>>(
  ({ transaction, site: { from, to, data } }) => ({
    from,
    to,
    data,
    value: transaction.value,
    gas: transaction.gas,
    chain_id: transaction.chainId ?? 0n,
    nonce: transaction.nonce,
    ...fees(transaction),
    max_fee_per_blob_gas: transaction.type === 'eip4844' ? transaction.maxFeePerBlobGas : 0n,
    blob_versioned_hashes: transaction.type === 'eip4844' ? transaction.blobVersionedHashes : [],
    type: types[transaction.type],
    selector: to !== '' && data.length >= 10 ? data.slice(0, 10) : '',
  }),
  {
    function_name: ({ reading }) => reading().uploaded?.name ?? '',
    function_signature: ({ reading }) => reading().uploaded?.selector ?? '',
    contract_call_args: ({ reading }) => (reading().uploaded && reading().values ? reading().call.args : undefined),
    access_list: ({ transaction }) => accessList(transaction),
    authorization_list: ({ transaction }) => authorizationList(transaction),
    call: ({ reading }) => reading().call,
    calls: ({ tree }) => tree().calls,
    calls_complete: ({ tree }) => tree().complete,
    transfers: ({ tree }) => tree().transfers,
  },
);

/** EIP-1559, "Specification": a transaction with a gas price is one both of whose fees are that price. */
function fees(transaction: EthereumTransaction) {
  const [most, priority] =
    'gasPrice' in transaction
      ? [transaction.gasPrice, transaction.gasPrice]
      : [transaction.maxFeePerGas, transaction.maxPriorityFeePerGas];
  return { gas_price: most, max_fee_per_gas: most, max_priority_fee_per_gas: priority };
}

function accessList(transaction: EthereumTransaction): TransactionFacts['access_list'] {
  if (!('accessList' in transaction)) return [];
  return transaction.accessList.map(({ address, storageKeys }) => struct({ address, storage_keys: storageKeys }));
}

function authorizationList(transaction: EthereumTransaction): TransactionFacts['authorization_list'] {
  if (!('authorizationList' in transaction)) return [];
  return transaction.authorizationList.map(authorizationFacts);
}

function once<T>(read: () => T): () => T {
  let kept: T | undefined;
  return () => (kept ??= read());
}
