import { type Address, concat } from 'viem';
import type { UserOperation } from 'viem/account-abstraction';
import { prepareAuthorization } from 'viem/actions';
import type { Client } from '../client.ts';
import { operationJson } from './account.ts';
import { chainIdOf, delegateOf, type OwnedSmartAccount } from './smart-account.ts';

export type IntentLimits = {
  /** Wei: all gas limits times the highest fee. */
  readonly maxCost: bigint;
  /** After it nothing is signed. */
  readonly validUntil: Date;
  /** Who may sponsor the operation; none: nobody. */
  readonly paymasters?: readonly Address[];
};

/**
 * What a user stamps of an operation: its calls, its nonce and limits, and no gas, fee or paymaster yet. For
 * `client.stamp.signUserOperationIntent`; a backend fills in the rest (`forward` with `completion`), and the service signs what
 * keeps within the limits, with the authorization of the account's code (EIP-7702) where it is not in place.
 *
 * ```ts
 * const limits = { maxCost: parseEther('0.01'), validUntil: new Date(Date.now() + 600_000), paymasters: [paymaster] };
 * const intent = await prepareIntent({ account, calls: [{ to: nft, data }], limits });
 * const stamped = await client.stamp.signUserOperationIntent(intent);
 * ```
 */
export async function prepareIntent(options: {
  readonly account: OwnedSmartAccount;
  readonly calls: readonly { readonly to: Address; readonly value?: bigint; readonly data?: `0x${string}` }[];
  readonly limits: IntentLimits;
  /** The account's next one where absent. */
  readonly nonce?: bigint;
}): Promise<Parameters<Client['signUserOperationIntent']>[0]> {
  const { account, calls, limits } = options;
  const [chainId, nonce, callData, deployment, authorization] = await Promise.all([
    chainIdOf(account),
    options.nonce ?? account.getNonce(),
    account.encodeCalls(calls),
    deploymentOf(account),
    authorizationOf(account),
  ]);
  const delegate = delegateOf(account);
  const operation = {
    sender: account.address,
    nonce,
    callData,
    ...deployment,
    ...(authorization && { authorization }),
  };
  return {
    signWith: account.owner.address,
    chainId: String(chainId),
    entryPoint: account.entryPoint.address,
    userOperation: operationJson(operation as Partial<UserOperation>),
    ...(delegate && { delegate }),
    limits: {
      maxCost: String(limits.maxCost),
      validUntil: String(Math.floor(limits.validUntil.getTime() / 1000)),
      paymasters: [...(limits.paymasters ?? [])],
    },
  };
}

async function deploymentOf(account: OwnedSmartAccount): Promise<object> {
  const { factory, factoryData = '0x' } = await account.getFactoryArgs();
  if (!factory) return account.entryPoint.version === '0.6' ? { initCode: '0x' } : {};
  return account.entryPoint.version === '0.6' ? { initCode: concat([factory, factoryData]) } : { factory, factoryData };
}

async function authorizationOf(account: OwnedSmartAccount) {
  if (!account.authorization || (await account.isDeployed())) return undefined;
  return prepareAuthorization(account.client, account.authorization);
}
