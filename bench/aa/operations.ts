/** Sponsored mints on a chain: what the service's user and the passkey's account do alike. */
import { type Abi, type Address, encodeFunctionData, type Hex, parseAbi, parseEventLogs, toHex } from 'viem';
import { toPackedUserOperation } from 'viem/account-abstraction';
import { anvil } from 'viem/chains';
import { type Chain, contracts, deployAll, deployCanonical } from '../../examples/passkey-mint/chain/chain.ts';
import type { readOperation } from '../../examples/passkey-mint/chain/read-operation.ts';
import { paymasterDataOf } from '../../examples/passkey-mint/chain/sponsorship.ts';
import { apiKeyStamper, createClient } from '../../sdk/src/index.ts';
import { type CountersignAccount, toAccount } from '../../sdk/src/viem/index.ts';
import type { Root } from '../support/service.ts';

/** The app's key in the service, with which it agrees to pay. */
export async function createSponsor(port: number, { organizationId, apiKey }: Root): Promise<CountersignAccount> {
  const stamp = apiKeyStamper(apiKey);
  const client = createClient({ baseUrl: `http://127.0.0.1:${port}`, organizationId, stamp });
  const { addresses } = await client.createWallet({
    walletName: 'sponsor',
    accounts: [
      {
        curve: 'CURVE_SECP256K1',
        pathFormat: 'PATH_FORMAT_BIP32',
        path: "m/44'/60'/0'/0/0",
        addressFormat: 'ADDRESS_FORMAT_ETHEREUM',
      },
    ],
  });
  return toAccount({ client, address: addresses[0] as Address });
}

export type Stage = Awaited<ReturnType<typeof setStage>>;

/** Deploys all that sponsored mints need, with one NFT minted already, so that all mints after that cost the same. */
export async function setStage(chain: Chain, payer: CountersignAccount) {
  const deployed = await deployAll(chain, payer.address);
  const { abi: entryPointAbi } = await deployCanonical(chain, 'entry-point-0.8');
  const bundler = chain.funded(1);
  const args = [bundler.account.address, 1n];
  const { abi } = contracts.Mint;
  const hash = await bundler.writeContract({ address: deployed.nft, abi, functionName: 'mint', args });
  await chain.client.waitForTransactionReceipt({ hash });
  return { chain, payer, ...deployed, entryPointAbi };
}

const executeAbi = parseAbi(['function execute(address target, uint256 value, bytes data)']);

/** Gas limits that fit all flows: verifying P-256 in Solidity takes most. */
export const limits = {
  callGasLimit: 120_000n,
  verificationGasLimit: 900_000n,
  preVerificationGas: 60_000n,
  maxFeePerGas: 3_000_000_000n,
  maxPriorityFeePerGas: 1_000_000_000n,
  paymasterVerificationGasLimit: 100_000n,
  paymasterPostOpGasLimit: 0n,
};
const gas = 120_000n + 900_000n + 60_000n + 100_000n;
export const maxCost = gas * limits.maxFeePerGas;

/** The call of every flow: one NFT for the account. */
export function mintCall({ nft }: Stage, account: Address): { readonly data: Hex; readonly callData: Hex } {
  const data = encodeFunctionData({ abi: contracts.Mint.abi, functionName: 'mint', args: [account, 1n] });
  return { data, callData: encodeFunctionData({ abi: executeAbi, args: [nft, 0n, data] }) };
}

/** The sponsor's consent to pay for the mint of `account`. */
export const paymasterData = (stage: Stage, account: Address, nonce: bigint): Promise<Hex> =>
  paymasterDataOf(
    stage.payer,
    { chainId: anvil.id, sponsor: stage.sponsor },
    {
      account,
      nonce,
      target: stage.nft,
      value: 0n,
      data: mintCall(stage, account).data,
      maxCost,
      validUntil: Math.floor(Date.now() / 1000) + 3600,
    },
  );

/** Has a bundler of one's own include the operation; the gas of its transaction. Throws where it fails. */
export async function include(
  { chain, entryPoint, entryPointAbi }: Stage,
  { operation, ...authorization }: ReturnType<typeof readOperation>,
): Promise<bigint> {
  const bundler = chain.funded(1);
  const hash = await bundler.writeContract({
    address: entryPoint,
    abi: entryPointAbi,
    functionName: 'handleOps',
    args: [[toPackedUserOperation(operation)], bundler.account.address],
    gas: 3_000_000n,
    ...authorization,
  });
  const { status, gasUsed, logs } = await chain.client.waitForTransactionReceipt({ hash });
  // An operation whose call fails is included all the same.
  const [minted] = parseEventLogs({ abi: contracts.Mint.abi as Abi, logs, eventName: 'Transfer' });
  if (status !== 'success' || !minted) throw new Error('the operation was included and failed');
  return gasUsed;
}

export const toJson = (fields: Readonly<Record<string, bigint | Hex>>): Record<string, Hex> =>
  Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, typeof value === 'bigint' ? toHex(value) : value]),
  );
