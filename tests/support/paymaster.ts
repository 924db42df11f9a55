/** The example's sponsor as a paymaster service (ERC-7677): it pays for what its key in Countersign agrees to. */
import { type Address, decodeFunctionData, encodePacked, type Hex, type LocalAccount, parseAbi, toHex } from 'viem';
import { formatUserOperationRequest, type GetPaymasterDataParameters } from 'viem/account-abstraction';
import { anvil } from 'viem/chains';
import { readOperation } from './bundler.ts';
import type { Rpc } from './serve-rpc.ts';

const limits = { paymasterVerificationGasLimit: 200_000n, paymasterPostOpGasLimit: 100_000n };
const abi = parseAbi(['function execute(address target, uint256 value, bytes data)']);

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
    const signature = await signer.signTypedData({
      domain: { name: 'Sponsor', version: '1', chainId: anvil.id, verifyingContract: deployed.sponsor },
      primaryType: 'Sponsorship',
      types: {
        Sponsorship: [
          { name: 'account', type: 'address' },
          { name: 'nonce', type: 'uint256' },
          { name: 'target', type: 'address' },
          { name: 'value', type: 'uint256' },
          { name: 'data', type: 'bytes' },
          { name: 'maxCost', type: 'uint256' },
          { name: 'validUntil', type: 'uint48' },
        ],
      },
      message: { account, nonce, target, value, data, maxCost, validUntil },
    });
    const paymasterData: Hex = encodePacked(['uint48', 'bytes'], [validUntil, signature]);
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
        : await paymaster.getPaymasterData(readOperation(params[0] as never) as never);
    return formatUserOperationRequest(answer as never);
  };
