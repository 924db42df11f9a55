/** A bundler (ERC-7769) for tests, as viem's clients speak to it: no pool, no simulation, each operation a transaction of its own. */
import { type Abi, type Address, custom, type Hex, toHex } from 'viem';
import { toPackedUserOperation } from 'viem/account-abstraction';
import type { Chain } from '../../examples/passkey-mint/chain/chain.ts';
import { readOperation } from '../../examples/passkey-mint/chain/read-operation.ts';

/** What any operation of the tests does with. */
const enough = {
  preVerificationGas: toHex(60_000),
  verificationGasLimit: toHex(500_000),
  callGasLimit: toHex(300_000),
  paymasterVerificationGasLimit: toHex(200_000),
  paymasterPostOpGasLimit: toHex(100_000),
};

/** The transport of a bundler, whose transactions the second funded account pays. `abi` is that of the EntryPoint. */
export function bundlerOf(chain: Chain, abi: Abi) {
  const wallet = chain.funded(1);
  const transactions = new Map<Hex, Hex>();

  async function sendUserOperation(given: Parameters<typeof readOperation>[0], entryPoint: Address): Promise<Hex> {
    const { operation, ...authorization } = readOperation(given);
    const packed = toPackedUserOperation(operation);
    const args = [[packed], wallet.account.address];
    const hash = await wallet.writeContract({
      address: entryPoint,
      abi,
      functionName: 'handleOps',
      args,
      gas: 4_000_000n,
      ...authorization,
    });
    await chain.client.waitForTransactionReceipt({ hash });
    // The hash commits to the sender's code, which may be there only now (EIP-7702).
    const userOpHash = (await chain.client.readContract({
      address: entryPoint,
      abi,
      functionName: 'getUserOpHash',
      args: [packed],
    })) as Hex;
    transactions.set(userOpHash, hash);
    return userOpHash;
  }

  const methods: Record<string, (...given: never[]) => unknown> = {
    eth_chainId: () => chain.client.getChainId().then(toHex),
    eth_estimateUserOperationGas: () => enough,
    eth_sendUserOperation: sendUserOperation,
    /** Of the transaction alone: its status. */
    async eth_getUserOperationReceipt(userOpHash: Hex) {
      const hash = transactions.get(userOpHash);
      if (!hash) return null;
      const receipt = await chain.client.waitForTransactionReceipt({ hash });
      const { blockHash, status } = receipt;
      const success = status === 'success';
      return { userOpHash, success, logs: [], receipt: { transactionHash: hash, blockHash, status: toHex(success) } };
    },
  };
  return custom({
    async request({ method, params }) {
      const run = methods[method];
      // All else is asked of the chain.
      return run ? run(...((params ?? []) as never[])) : chain.client.request({ method, params } as never);
    },
  });
}
