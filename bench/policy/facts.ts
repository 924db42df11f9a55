/** Activities of the benchmark, and their facts as the enclave makes them: decoded from the bytes to be signed. */
import { encodeFunctionData, type Hex, parseAbi, serializeTransaction } from 'viem';
import { type ContractInterface, parseContractInterface } from '../../src/decode/facts/contract-interface.ts';
import { signingFacts } from '../../src/decode/facts/signing-facts.ts';
import { nanoseconds, struct } from '../../src/enclave/policy-values.ts';
import type { DecisionRequest } from '../../src/policy/decide-policies.ts';
import { activityClass } from '../../src/policy/schema/activities.ts';
import type { Facts } from '../../src/policy/values.ts';

export type Activity = {
  /** Without prefix and version, such as `SIGN_TRANSACTION`. */
  readonly kind: string;
  readonly transaction?: { readonly to: Hex; readonly value: bigint };
  /** A transaction that calls `transfer` of {@link usdc}. */
  readonly tokenTransfer?: { readonly to: Hex; readonly amount: bigint };
  /** An EIP-2612 permit for {@link usdc}. */
  readonly permit?: { readonly chainId: number; readonly spender: string; readonly value: number };
  readonly walletId: string;
  readonly path: string;
  readonly approvers: readonly { readonly id: string; readonly tags: readonly string[] }[];
  readonly now: Date;
};

/** The only contract of which an interface was uploaded. */
export const usdc = '0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48';
const erc20 = parseAbi(['function transfer(address to, uint256 amount)']);
const interfaces: ReadonlyMap<string, ContractInterface> = new Map([
  [usdc, parseContractInterface(JSON.stringify(erc20))],
]);

/** The address that ends in `index`. */
export const addressOf = (index: number): Hex => `0x${(0xb0_0000_0000 + index).toString(16).padStart(40, '0')}`;

const signer = { address: addressOf(0), interfaceOf: (address: string) => interfaces.get(address) };

export function requestOf(activity: Activity): DecisionRequest {
  const { kind, approvers } = activity;
  return {
    kind,
    facts: factsOf(activity),
    initiatorId: approvers[0]?.id ?? '',
    rootQuorum: { threshold: 2, userIds: ['root 1', 'root 2'] },
  };
}

function factsOf(activity: Activity): Facts {
  const { kind, walletId, path, approvers } = activity;
  const now = nanoseconds(activity.now.getTime());
  const { resource = '', action = '' } = activityClass(kind) ?? {};
  return {
    activity: struct({ type: `ACTIVITY_TYPE_${kind}_V2`, kind, resource, action, params: struct({}) }),
    organization: struct({ id: 'organization', name: 'Benchmark', parent_id: '' }),
    request: struct({ origin: 'https://wallet.example' }),
    now,
    time: struct({ now }),
    wallet: struct({ id: walletId, imported: false, exported: false, label: 'hot', tags: [] }),
    wallet_account: struct({ address: signer.address, derivation_path: path, name: '', wallet_id: walletId, tags: [] }),
    ...signedFacts(activity),
    approvers: approvers.map(({ id, tags }) => struct({ id, tags, email: '', alias: id, created_at: 0n })),
    credentials: approvers.map(({ id }) => struct({ id: `key of ${id}`, user_id: id, user_verified: true })),
  };
}

function signedFacts({ transaction, tokenTransfer, permit }: Activity): Facts {
  if (permit) return typedDataFacts(permit);
  if (transaction) return transactionFacts(transaction);
  if (!tokenTransfer) return {};
  const { to, amount } = tokenTransfer;
  const data = encodeFunctionData({ abi: erc20, functionName: 'transfer', args: [to, amount] });
  return transactionFacts({ to: usdc, value: 0n, data });
}

function transactionFacts(call: { readonly to: Hex; readonly value: bigint; readonly data?: Hex }): Facts {
  const unsignedTransaction = serializeTransaction({
    ...call,
    chainId: 1,
    type: 'eip1559',
    nonce: 7,
    gas: 90_000n,
    maxFeePerGas: 30_000_000_000n,
    maxPriorityFeePerGas: 1_000_000_000n,
  }).slice(2);
  const parameters = { type: 'TRANSACTION_TYPE_ETHEREUM', unsignedTransaction };
  return signingFacts('sign_transaction', parameters, signer)[0] as Facts;
}

const fields = (text: string) =>
  text.split(', ').map((field) => {
    const [type, name] = field.split(' ');
    return { name, type };
  });
const types = {
  EIP712Domain: fields('string name, string version, uint256 chainId, address verifyingContract'),
  Permit: fields('address owner, address spender, uint256 value, uint256 nonce, uint256 deadline'),
};

function typedDataFacts({ chainId, spender, value }: NonNullable<Activity['permit']>): Facts {
  const payload = JSON.stringify({
    types,
    primaryType: 'Permit',
    domain: { name: 'USD Coin', version: '2', chainId, verifyingContract: usdc },
    message: { owner: signer.address, spender, value, nonce: 0, deadline: 1_900_000_000 },
  });
  const parameters = { payload, encoding: 'PAYLOAD_ENCODING_EIP712', hashFunction: 'HASH_FUNCTION_NO_OP' } as const;
  return signingFacts('sign_raw_payload', parameters, signer)[0] as Facts;
}
