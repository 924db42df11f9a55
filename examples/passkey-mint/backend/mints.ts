/** A mint from the terms that the user is asked to stamp to the block that has it. */
import { createHash } from 'node:crypto';
import { concat, decodeFunctionData, type Hex, type PublicClient, parseAbi } from 'viem';
import { entryPoint08Abi } from 'viem/account-abstraction';
import { forward, type Login, type Stamped } from '../../../sdk/src/index.ts';
import { AppError } from './app-error.ts';
import { createBundler, type Inclusion } from './bundler.ts';
import type { Config } from './config.ts';
import { readDenial } from './denial.ts';
import { createExpiringMap } from './expiring-map.ts';
import { type Call, costLimit, createSponsor } from './sponsor.ts';
import type { createUsers } from './users.ts';

export type Step = { readonly step: 'checked' } | { readonly step: 'signed'; readonly userOpHash: Hex } | Inclusion;

const validForMs = 10 * 60 * 1000;
const accountAbi = parseAbi(['function execute(address target, uint256 value, bytes data)']);

export function createMints(config: Config, client: PublicClient, users: Pick<ReturnType<typeof createUsers>, 'read'>) {
  const { contracts, chain, countersign } = config;
  const complete = createSponsor(config, client);
  const { include } = createBundler(config, client);
  const completions = createExpiringMap<ReturnType<typeof complete>>(validForMs);

  return {
    /** All that an intent needs but the call, which the frontend writes itself. */
    async terms({ organizationId, userId }: Login) {
      const { address } = await users.read(organizationId, userId);
      const [nonce, code, accountNonce, { maxFeePerGas }] = await Promise.all([
        client.readContract({
          address: contracts.entryPoint,
          abi: entryPoint08Abi,
          functionName: 'getNonce',
          args: [address, 0n],
        }),
        client.getCode({ address }),
        client.getTransactionCount({ address }),
        client.estimateFeesPerGas(),
      ]);
      return {
        chainId: chain.id,
        ...contracts,
        sender: address,
        nonce: String(nonce),
        /** Of the account's own authorization to run the delegate's code (EIP-7702), where it does not yet. */
        ...(code !== concat(['0xef0100', contracts.delegate]).toLowerCase() && { authorizationNonce: accountNonce }),
        maxCost: String(costLimit(maxFeePerGas)),
        validUntil: Math.floor((Date.now() + validForMs) / 1000),
      };
    },

    /**
     * Carries out a stamped intent, step by step. It may be called again with the same bytes after any failure: the same
     * completion makes it the same activity in Countersign, and the account's nonce lets it be included once.
     */
    async *carryOut(user: Login, stamped: Stamped): AsyncGenerator<Step> {
      const { organizationId, ...operation } = readIntent(stamped);
      if (organizationId !== user.organizationId) throw new AppError('invalid', 'This was stamped for somebody else.');
      const key = createHash('sha256').update(stamped.body).digest('hex');
      const completing = completions.get(key) ?? complete(operation);
      completions.set(key, completing);
      const completion = await completing.catch((error) => {
        completions.delete(key);
        throw error;
      });
      yield { step: 'checked' };
      const { userOperation, userOpHash } = await forward(stamped, {
        baseUrl: countersign.baseUrl,
        method: 'signUserOperationIntent',
        completion,
        explainDenials: true,
      }).catch(denied);
      yield { step: 'signed', userOpHash: userOpHash as Hex };
      yield* include(userOperation, userOpHash as Hex);
    },
  };

  /** What is to be sponsored. Countersign reads the same bytes again, and believes nobody. */
  function readIntent({ body }: Stamped) {
    try {
      const { organizationId, parameters } = JSON.parse(body);
      const { sender, nonce, callData } = parameters.userOperation;
      const { args } = decodeFunctionData({ abi: accountAbi, data: callData });
      const call: Call = { target: args[0], value: args[1], data: args[2] };
      return {
        organizationId,
        account: sender,
        nonce: BigInt(nonce),
        call,
        validUntil: Number(parameters.limits.validUntil),
      };
    } catch (cause) {
      throw new AppError('invalid', 'This is not a stamped mint.', { cause });
    }
  }
}

function denied(error: unknown): never {
  const denial = readDenial(error);
  if (!denial) throw error;
  const rules = denial.denying.map((name) => `“${name}”`).join(', ');
  const message = `Your rules do not allow this, so nothing was signed: ${rules}.`;
  throw new AppError('policy', message, { cause: error, reason: denial.text });
}
