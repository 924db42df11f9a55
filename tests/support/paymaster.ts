/** The example's sponsor as a paymaster service (ERC-7677): it pays for what its key in Countersign agrees to. */
import { type Address, decodeFunctionData, type LocalAccount, parseAbi, toHex } from 'viem';
import { formatUserOperationRequest, type GetPaymasterDataParameters } from 'viem/account-abstraction';
import { anvil } from 'viem/chains';
import { readOperation } from '../../examples/passkey-mint/chain/read-operation.ts';
import { paymasterDataOf } from '../../examples/passkey-mint/chain/sponsorship.ts';
import { type ClientOptions, createClient } from '../../sdk/src/client.ts';
import { type CountersignAccount, toAccount } from '../../sdk/src/viem/index.ts';
import { ethereumAccount } from './resident.ts';
import type { Rpc } from './serve-rpc.ts';

const limits = { paymasterVerificationGasLimit: 200_000n, paymasterPostOpGasLimit: 100_000n };
const abi = parseAbi(['function execute(address target, uint256 value, bytes data)']);

/** A company's key in the service, which agrees to pay. */
export async function createSponsor(company: ClientOptions): Promise<CountersignAccount> {
  const client = createClient(company);
  const { addresses } = await client.createWallet({ walletName: 'sponsor', accounts: [ethereumAccount(0)] });
  return toAccount({ client, address: addresses[0] as Address });
}

/** As viem's bundler clients take it: a stand-in for the estimate, then a signature over the call and its cost. */
export const paymasterOf = (deployed: { readonly sponsor: Address }, signer: Pick<LocalAccount, 'signTypedData'>) => ({
  getPaymasterStubData: async () => ({ paymaster: deployed.sponsor, paymasterData: toHex(0, { size: 71 }), ...limits }),

  async getPaymasterData({ sender: account, nonce, callData, ...gas }: GetPaymasterDataParameters) {
    const { args } = decodeFunctionData({ abi, data: callData });
    const [target, value, data] = args;
    const total =
      (gas.callGasLimit ?? 0n) +
      (gas.verificationGasLimit ?? 0n) +
      (gas.preVerificationGas ?? 0n) +
      limits.paymasterVerificationGasLimit +
      limits.paymasterPostOpGasLimit;
    const maxCost = total * (gas.maxFeePerGas ?? 0n);
    const validUntil = Math.floor(Date.now() / 1000) + 600;
    const message = { account, nonce, target, value, data, maxCost, validUntil };
    const paymasterData = await paymasterDataOf(signer, { chainId: anvil.id, sponsor: deployed.sponsor }, message);
    return { paymaster: deployed.sponsor, paymasterData };
  },
});

/** The same behind JSON-RPC. */
export const rpcOf =
  (paymaster: ReturnType<typeof paymasterOf>): Rpc =>
  async ({ method, params }) => {
    const answer =
      method === 'pm_getPaymasterStubData'
        ? await paymaster.getPaymasterStubData()
        : await paymaster.getPaymasterData(readOperation(params[0] as never).operation as never);
    return formatUserOperationRequest(answer as never);
  };
