/** Puts signed operations on chain from an account of its own, as a bundler does. */
import { BaseError, ContractFunctionRevertedError, createWalletClient, type Hex, http, type PublicClient } from 'viem';
import { entryPoint08Abi, toPackedUserOperation } from 'viem/account-abstraction';
import { privateKeyToAccount } from 'viem/accounts';
import { readOperation } from '../chain/read-operation.ts';
import { AppError } from './app-error.ts';
import type { Config } from './config.ts';

/** As Countersign gives it back: JSON of ERC-7769, with the EIP-7702 authorization where one was stamped. */
type SignedOperation = Readonly<Record<string, unknown>>;

export type Inclusion =
  | { readonly step: 'sent'; readonly transactionHash: Hex }
  | { readonly step: 'included'; readonly transactionHash: Hex; readonly blockNumber: number };

export function createBundler({ bundlerKey, contracts, chain }: Config, client: PublicClient) {
  const account = privateKeyToAccount(bundlerKey);
  const wallet = createWalletClient({ account, chain: client.chain, transport: http(chain.rpcUrl, { retryCount: 0 }) });
  const entryPoint = { address: contracts.entryPoint, abi: entryPoint08Abi } as const;
  let turn: Promise<unknown> = Promise.resolve();

  /** Once and no more: what is on chain already, such as before a retry, is found there. */
  async function* include(operation: SignedOperation, userOpHash: Hex): AsyncGenerator<Inclusion> {
    const known = await find(userOpHash);
    if (known) return yield known;
    const transactionHash = await inTurn(() => send(operation));
    yield { step: 'sent', transactionHash };
    await client.waitForTransactionReceipt({ hash: transactionHash, timeout: 30_000 });
    const included = await find(userOpHash);
    if (!included) throw new AppError('chain', 'The operation was sent, and another one took its place.');
    yield included;
  }

  async function find(userOpHash: Hex): Promise<Inclusion | undefined> {
    const [event] = await client.getContractEvents({
      ...entryPoint,
      eventName: 'UserOperationEvent',
      args: { userOpHash },
      fromBlock: 0n,
      strict: true,
    });
    if (!event) return undefined;
    if (!event.args.success)
      throw new AppError('refused', 'The operation is on chain, but the contract refused the call.');
    return { step: 'included', transactionHash: event.transactionHash, blockNumber: Number(event.blockNumber) };
  }

  async function send(signed: SignedOperation): Promise<Hex> {
    const { operation, ...authorization } = readOperation(signed);
    const { request } = await client
      .simulateContract({
        ...entryPoint,
        account,
        functionName: 'handleOps',
        args: [[toPackedUserOperation(operation)], account.address],
        ...authorization,
      })
      .catch(refused);
    return wallet.writeContract(request);
  }

  /** One after the other, for each has the account's next nonce. */
  function inTurn<T>(task: () => Promise<T>): Promise<T> {
    const result = turn.then(task);
    turn = result.catch(() => {});
    return result;
  }

  return { include };
}

/** The EntryPoint's AA3… are about the paymaster (ERC-4337). */
function refused(error: unknown): never {
  const reverted = error instanceof BaseError && error.walk((cause) => cause instanceof ContractFunctionRevertedError);
  if (!(reverted instanceof ContractFunctionRevertedError)) throw error;
  const reason = String(reverted.data?.args?.[1] ?? reverted.shortMessage);
  throw new AppError(reason.startsWith('AA3') ? 'sponsor' : 'refused', `The EntryPoint says: ${reason}`, {
    cause: error,
  });
}
