/** Sponsored mints on a chain: what the service's user and the passkey's account do alike. */
import {
  type Abi,
  type Address,
  encodeFunctionData,
  encodePacked,
  type Hex,
  parseAbi,
  parseEventLogs,
  toHex,
} from 'viem';
import { toPackedUserOperation } from 'viem/account-abstraction';
import { type Chain, contracts, deployAll, deployCanonical } from '../../examples/passkey-mint/chain/chain.ts';
import { makeApiKeyStamp } from '../../src/stamping/make-api-key-stamp.ts';
import type { Root } from '../support/service.ts';
import { submit } from '../support/submit.ts';

/** The app's key in the service, with which it agrees to pay. */
export type Sponsor = { readonly address: Address; agree(typedData: object): Promise<Hex> };

export async function createSponsor(port: number, { organizationId, apiKey }: Root): Promise<Sponsor> {
  const stamper = { stamp: (body: string) => makeApiKeyStamp(body, apiKey) };
  const ask = (name: string, type: string, parameters: object) =>
    submit(port, stamper, name, { type: `ACTIVITY_TYPE_${type}`, organizationId, parameters });
  const { addresses } = (await ask('create_wallet', 'CREATE_WALLET', {
    walletName: 'sponsor',
    accounts: [
      {
        curve: 'CURVE_SECP256K1',
        pathFormat: 'PATH_FORMAT_BIP32',
        path: "m/44'/60'/0'/0/0",
        addressFormat: 'ADDRESS_FORMAT_ETHEREUM',
      },
    ],
  })) as { addresses: [Address] };
  const [address] = addresses;
  return {
    address,
    async agree(typedData) {
      const { r, s, v } = (await ask('sign_raw_payload', 'SIGN_RAW_PAYLOAD_V2', {
        signWith: address,
        payload: JSON.stringify(typedData),
        encoding: 'PAYLOAD_ENCODING_EIP712',
        hashFunction: 'HASH_FUNCTION_NO_OP',
      })) as { r: string; s: string; v: string };
      return `0x${r}${s}${v === '00' ? '1b' : '1c'}`;
    },
  };
}

export type Stage = Awaited<ReturnType<typeof setStage>>;

/** Deploys all that sponsored mints need, with one NFT minted already, so that all mints after that cost the same. */
export async function setStage(chain: Chain, payer: Sponsor) {
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
export async function paymasterData(stage: Stage, account: Address, nonce: bigint): Promise<Hex> {
  const validUntil = Math.floor(Date.now() / 1000) + 3600;
  const signature = await stage.payer.agree({
    domain: { name: 'Sponsor', version: '1', chainId: 31_337, verifyingContract: stage.sponsor },
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
    message: {
      account,
      nonce: String(nonce),
      target: stage.nft,
      value: 0,
      data: mintCall(stage, account).data,
      maxCost: String(maxCost),
      validUntil,
    },
  });
  return encodePacked(['uint48', 'bytes'], [validUntil, signature]);
}

/** An operation as viem has it. */
export type Operation = Parameters<typeof toPackedUserOperation>[0];
export type Authorization = { readonly [name in 'address' | 'chainId' | 'nonce' | 'yParity' | 'r' | 's']: Hex };

/** Has a bundler of one's own include the operation; the gas of its transaction. Throws where it fails. */
export async function include(
  { chain, entryPoint, entryPointAbi }: Stage,
  operation: Operation,
  authorization?: Authorization,
): Promise<bigint> {
  const bundler = chain.funded(1);
  const hash = await bundler.writeContract({
    address: entryPoint,
    abi: entryPointAbi,
    functionName: 'handleOps',
    args: [[toPackedUserOperation(operation)], bundler.account.address],
    gas: 3_000_000n,
    ...(authorization && { authorizationList: [readAuthorization(authorization)] }),
  });
  const { status, gasUsed, logs } = await chain.client.waitForTransactionReceipt({ hash });
  // An operation whose call fails is included all the same.
  const [minted] = parseEventLogs({ abi: contracts.Mint.abi as Abi, logs, eventName: 'Transfer' });
  if (status !== 'success' || !minted) throw new Error('the operation was included and failed');
  return gasUsed;
}

const readAuthorization = ({ address, chainId, nonce, yParity, r, s }: Authorization) => ({
  address,
  chainId: Number(chainId),
  nonce: Number(nonce),
  yParity: Number(yParity),
  r,
  s,
});

const numbers = new Set(['nonce', ...Object.keys(limits)]);

/** From the JSON of bundlers (ERC-7769). */
export const fromJson = (json: Readonly<Record<string, Hex>>): Operation =>
  Object.fromEntries(
    Object.entries(json).map(([name, value]) => [name, numbers.has(name) ? BigInt(value) : value]),
  ) as unknown as Operation;

export const toJson = (fields: Readonly<Record<string, bigint | Hex>>): Record<string, Hex> =>
  Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, typeof value === 'bigint' ? toHex(value) : value]),
  );
