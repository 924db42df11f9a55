/** Gas, and the sponsor's word that it pays: typed data that Countersign's policies read before its key signs them. */
import type { Address, Hex, PublicClient } from 'viem';
import { apiKeyStamper, createClient } from '../../../sdk/src/index.ts';
import { toAccount } from '../../../sdk/src/viem/index.ts';
import { paymasterDataOf } from '../chain/sponsorship.ts';
import { AppError } from './app-error.ts';
import type { Config } from './config.ts';
import { readDenial } from './denial.ts';

export type Call = { readonly target: Address; readonly value: bigint; readonly data: Hex };
type Sponsored = {
  readonly account: Address;
  readonly nonce: bigint;
  readonly call: Call;
  readonly validUntil: number;
};

/** Beside the gas of the call itself. */
const overhead = {
  verificationGasLimit: 150_000n,
  preVerificationGas: 80_000n,
  paymasterVerificationGasLimit: 100_000n,
  paymasterPostOpGasLimit: 20_000n,
};

/** Gas of the largest mint there is, all included. */
const mostGas = 1_100_000n;

/** What a user is asked to agree to, in wei: fees may double before the operation is on chain. */
export const costLimit = (maxFeePerGas: bigint): bigint => 2n * mostGas * maxFeePerGas;

export function createSponsor({ countersign, sponsor, contracts, chain }: Config, client: PublicClient) {
  const company = createClient({ ...countersign, stamp: apiKeyStamper(sponsor), explainDenials: true });
  const signer = toAccount({ client: company, address: sponsor.address });

  /** What is missing in the user's operation. Throws where the sponsor's policies do not allow to pay for it. */
  return async function complete({ account, nonce, call, validUntil }: Sponsored) {
    const [{ maxFeePerGas, maxPriorityFeePerGas }, callGas] = await Promise.all([
      client.estimateFeesPerGas(),
      client.estimateGas({ account, to: call.target, value: call.value, data: call.data }),
    ]);
    const gas = { ...overhead, callGasLimit: callGas + 20_000n };
    const maxCost = Object.values(gas).reduce((sum, limit) => sum + limit) * maxFeePerGas;
    const { target, value, data } = call;
    const message = { account, nonce, target, value, data, maxCost, validUntil };
    const chainId = chain.id;
    const paymasterData = await paymasterDataOf(signer, { chainId, sponsor: contracts.sponsor }, message).catch(
      refused,
    );
    return {
      ...gas,
      maxFeePerGas,
      maxPriorityFeePerGas,
      paymaster: contracts.sponsor,
      paymasterData,
    };
  };
}

function refused(error: unknown): never {
  const denial = readDenial(error);
  if (!denial) throw error;
  throw new AppError('sponsor', 'The sponsor does not pay for this.', { cause: error, reason: denial.text });
}
