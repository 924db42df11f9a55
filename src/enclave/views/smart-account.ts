import { checksumAddress } from '../../decode/ethereum-address.ts';
import type { SmartAccountObject } from '../../protocol/queries/objects.ts';
import type { SmartAccount } from '../state.ts';
import { timesView } from './times.ts';

const checksummed = (address: string): string => checksumAddress(Buffer.from(address.slice(2), 'hex'));

export const smartAccountView =
  (organizationId: string) =>
  (account: SmartAccount): SmartAccountObject => ({
    organizationId,
    smartAccountId: account.id,
    smartAccountName: account.name,
    address: checksummed(account.address),
    signWith: account.keyId,
    accountKind: account.kind,
    entryPoint: checksummed(account.entryPoint.address),
    entryPointVersion: account.entryPoint.version,
    chainIds: [...account.chainIds],
    ...(account.factory && { factory: checksummed(account.factory.address), factoryData: account.factory.data }),
    ...(account.delegate && { delegate: checksummed(account.delegate) }),
    ...(account.ownerIndex !== undefined && { ownerIndex: account.ownerIndex }),
    ...(account.module && { module: checksummed(account.module) }),
    ...timesView(account),
  });
