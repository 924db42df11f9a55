import type { SmartAccount } from 'viem/account-abstraction';
import type { Client } from '../client.ts';
import type { CountersignAccount } from './account.ts';
import { chainIdOf, delegateOf } from './smart-account.ts';

type Pin = Parameters<Client['createSmartAccount']>[0];

/**
 * The parameters of `client.createSmartAccount` for an account of viem or permissionless that is to be pinned: where it is, who
 * owns it, and how it is deployed where it is not yet. Of `coinbase` add the `ownerIndex`.
 *
 * ```ts
 * await client.createSmartAccount(await smartAccountPin({ account, owner, name: 'Shop', accountKind: 'simple-0.7' }));
 * ```
 */
export async function smartAccountPin(options: {
  readonly account: SmartAccount;
  readonly owner: CountersignAccount;
  readonly name: string;
  readonly accountKind: Pin['accountKind'];
}): Promise<Pin> {
  const { account, owner, name, accountKind } = options;
  const { entryPoint, address } = account;
  const [chainId, { factory, factoryData }] = await Promise.all([chainIdOf(account), account.getFactoryArgs()]);
  const delegate = delegateOf(account);
  return {
    smartAccountName: name,
    address,
    signWith: owner.address,
    accountKind,
    entryPoint: entryPoint.address,
    entryPointVersion: entryPoint.version,
    chainIds: [String(chainId)],
    ...(delegate ? { delegate } : factory && { factory, factoryData: factoryData ?? '0x' }),
  };
}
