import {
  type Address,
  type Chain,
  type Client,
  type Hex,
  http,
  InvalidParamsRpcError,
  isHash,
  type Transport,
  toHex,
  UnauthorizedProviderError,
  UnknownBundleIdError,
  UnsupportedChainIdError,
  UnsupportedNonOptionalCapabilityError,
  UnsupportedProviderMethodError,
} from 'viem';
import {
  createPaymasterClient,
  getUserOperationReceipt,
  type SmartAccount,
  sendUserOperation,
  waitForUserOperationReceipt,
} from 'viem/account-abstraction';
import { chainIdOf } from './smart-account.ts';

type Capabilities = Readonly<Record<string, { readonly optional?: boolean } & Readonly<Record<string, unknown>>>>;
type Call = { readonly to?: Address; readonly value?: Hex; readonly data?: Hex; readonly capabilities?: Capabilities };
type Request = { readonly method: string; readonly params?: unknown };
type SendCalls = {
  readonly id?: string;
  readonly from?: Address;
  readonly chainId: Hex;
  readonly calls: readonly Call[];
  readonly capabilities?: Capabilities;
};

/**
 * A provider (EIP-1193) for applications that know wallets only: one account on one chain, batches by `wallet_sendCalls`
 * (EIP-5792) as one operation, sponsored by the application's `paymasterService` (ERC-7677) or the bundler's own `paymaster`.
 * What it has to read it asks the account's chain.
 *
 * ```ts
 * const wallet = createWalletClient({ account: account.address, chain, transport: custom(toProvider({ account, bundler })) });
 * const { id } = await wallet.sendCalls({ calls });
 * ```
 */
export function toProvider(options: {
  readonly account: SmartAccount;
  readonly bundler: Client<Transport, Chain | undefined, SmartAccount | undefined>;
}): { request(request: Request): Promise<unknown> } {
  const { account, bundler } = options;
  const hashes = new Map<string, Hex>();
  const chainId = async () => toHex(await chainIdOf(account));

  const send = (calls: readonly Call[], more: object = {}) =>
    sendUserOperation(bundler, { account, calls: calls.map(readCall), ...more });

  async function sendCalls({ id, from, chainId: asked, calls, capabilities = {} }: SendCalls) {
    checkFrom(from);
    if (Number(asked) !== Number(await chainId())) throw new UnsupportedChainIdError(new Error(`no chain ${asked}`));
    if (calls.length === 0) throw new InvalidParamsRpcError(new Error('expected at least one call'));
    for (const each of [capabilities, ...calls.map((call) => call.capabilities ?? {})]) checkCapabilities(each);
    const hash = await send(calls, sponsor(capabilities));
    hashes.set(id ?? hash, hash);
    return { id: id ?? hash };
  }

  async function callsStatus(id: string) {
    const hash = hashes.get(id) ?? (isHash(id) ? id : undefined);
    if (!hash) throw new UnknownBundleIdError(new Error(`unknown calls ${id}`));
    const found = await getUserOperationReceipt(bundler, { hash }).catch(noReceipt);
    const common = { version: '2.0.0', id, chainId: await chainId(), atomic: true };
    if (!found) return { ...common, status: 100 };
    const { transactionHash, blockHash, blockNumber, gasUsed } = found.receipt;
    const numbers = { blockNumber: toHex(blockNumber ?? 0n), gasUsed: toHex(gasUsed ?? 0n) };
    const receipt = { logs: found.logs, status: toHex(found.success), transactionHash, blockHash, ...numbers };
    return { ...common, status: found.success ? 200 : 500, receipts: [receipt] };
  }

  async function sendTransaction({ from, ...call }: Call & { from?: Address }) {
    checkFrom(from);
    const hash = await send([call]);
    return (await waitForUserOperationReceipt(bundler, { hash })).receipt.transactionHash;
  }

  function checkFrom(from: Address | undefined): void {
    if (from === undefined || from.toLowerCase() === account.address.toLowerCase()) return;
    throw new UnauthorizedProviderError(new Error(`${from} is not the account of this wallet`));
  }

  const methods: Readonly<Record<string, (...params: never[]) => unknown>> = {
    eth_accounts: () => [account.address],
    eth_requestAccounts: () => [account.address],
    eth_chainId: chainId,
    eth_sendTransaction: sendTransaction,
    personal_sign(raw: Hex, from: Address) {
      checkFrom(from);
      return account.signMessage({ message: { raw } });
    },
    eth_signTypedData_v4(from: Address, typedData: string) {
      checkFrom(from);
      return account.signTypedData(JSON.parse(typedData));
    },
    wallet_sendCalls: sendCalls,
    wallet_getCallsStatus: callsStatus,
    wallet_getCapabilities: async () => ({
      [await chainId()]: { atomic: { status: 'supported' }, paymasterService: { supported: true } },
    }),
  };

  return {
    async request({ method, params = [] }) {
      const own = Object.hasOwn(methods, method) && methods[method];
      if (own) return own(...(params as never[]));
      // What is left of these reads.
      if (/^eth_(?!sign)|^net_|^web3_/.test(method)) return account.client.request({ method, params } as never);
      throw new UnsupportedProviderMethodError(new Error(`no method ${method}`));
    },
  };
}

function readCall({ to, value = '0x0', data = '0x' }: Call) {
  if (to) return { to, value: BigInt(value), data };
  throw new InvalidParamsRpcError(
    new Error('expected calls with `to`: a smart account creates no contracts by itself'),
  );
}

function checkCapabilities(capabilities: Capabilities): void {
  const other = Object.entries(capabilities).find(([name, { optional }]) => name !== 'paymasterService' && !optional);
  if (other) throw new UnsupportedNonOptionalCapabilityError(new Error(`unsupported capability ${other[0]}`));
}

/** ERC-7677, EIP-5792: the application names its paymaster and what it is to be told. */
function sponsor({ paymasterService }: Capabilities): object {
  const { url, context } = paymasterService ?? {};
  if (typeof url !== 'string') return {};
  return { paymaster: createPaymasterClient({ transport: http(url) }), paymasterContext: context };
}

function noReceipt(error: Error): undefined {
  if (error.name !== 'UserOperationReceiptNotFoundError') throw error;
}
