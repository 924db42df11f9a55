import { parseAddress } from '../../decode/ethereum-address.ts';
import { accountRules } from '../../decode/user-operation/account-kinds.ts';
import { entryPoints } from '../../decode/user-operation/user-operation.ts';
import type { Parameters } from '../../protocol/activities/activity.ts';
import type { createSmartAccount } from '../../protocol/activities/create-smart-account.ts';
import type { Effect } from '../effect.ts';
import { put, type SmartAccount } from '../state.ts';
import { ethereumAddressOf } from '../user-operations.ts';
import { checkQuota } from './quotas.ts';
import { checkUnique, invalidField } from './refusals.ts';
import { findSigner } from './signers.ts';

type Given = Parameters<typeof createSmartAccount>;

export const createSmartAccountEffect: Effect<typeof createSmartAccount> = ({ organization, now, newId }, given) => {
  const { smartAccounts } = organization;
  const held = [...smartAccounts.values()];
  checkQuota('smartAccounts', held.length + 1, 'parameters');
  checkUnique(held, given.smartAccountName, 'parameters.smartAccountName', 'smart account name must be unique');
  const signer = findSigner(organization, given.signWith);
  if (signer.curve !== 'CURVE_SECP256K1') throw invalidField('parameters.signWith', 'invalid curve');
  const address = readAddress(given.address, 'address');
  const entryPoint = readEntryPoint(given);
  checkDelegate(given, address, ethereumAddressOf(organization, signer.id));
  const isSame = (each: SmartAccount) =>
    each.address === address && each.keyId === signer.id && each.entryPoint.address === entryPoint.address;
  if (held.some(isSame)) throw invalidField('parameters.address', 'this smart account is pinned already');
  const added: SmartAccount = {
    id: newId(),
    name: given.smartAccountName,
    address,
    keyId: signer.id,
    kind: given.accountKind,
    entryPoint,
    chainIds: given.chainIds,
    ...readFactory(given),
    ...(given.delegate && { delegate: readAddress(given.delegate, 'delegate') }),
    ...(given.ownerIndex !== undefined && { ownerIndex: given.ownerIndex }),
    ...(given.module && { module: readAddress(given.module, 'module') }),
    createdAt: now,
    updatedAt: now,
  };
  return {
    result: { smartAccountId: added.id },
    organization: { ...organization, smartAccounts: put(smartAccounts, added) },
  };
};

function readEntryPoint({ entryPoint: given, entryPointVersion, accountKind }: Given): SmartAccount['entryPoint'] {
  const address = readAddress(given, 'entryPoint');
  const known = entryPoints.get(address);
  const version = known ?? entryPointVersion;
  if (!version) {
    throw invalidField(
      'parameters.entryPointVersion',
      'expected the version of an EntryPoint at an address of its own',
    );
  }
  if (entryPointVersion && entryPointVersion !== version) {
    throw invalidField('parameters.entryPointVersion', `the EntryPoint at this address is ${version}`);
  }
  const { entryPoints: fitting } = accountRules[accountKind];
  if (!fitting.includes(version)) {
    throw invalidField(
      'parameters.accountKind',
      `${accountKind} is for EntryPoint ${fitting.join(' or ')}, not ${version}`,
    );
  }
  return { address, version };
}

/** An account that is run by EIP-7702 is the signing address; which code it runs has to be pinned with it. */
function checkDelegate({ accountKind, delegate }: Given, address: string, signerAddress: string): void {
  const isDelegated = delegate !== undefined || accountRules[accountKind].delegated;
  if (!isDelegated) return;
  if (!delegate) throw invalidField('parameters.delegate', `expected the code that a ${accountKind} account runs`);
  if (address !== signerAddress) {
    throw invalidField(
      'parameters.address',
      'an account that runs a delegate (EIP-7702) is the signing address itself',
    );
  }
}

function readFactory({ factory, factoryData }: Given): Pick<SmartAccount, 'factory'> {
  if (!factory && factoryData) throw invalidField('parameters.factory', 'expected one, as there is factoryData');
  return factory ? { factory: { address: readAddress(factory, 'factory'), data: factoryData ?? '0x' } } : {};
}

/** Lower case; mixed case has to be that of EIP-55. */
function readAddress(given: string, name: string): string {
  if (parseAddress(given)) return given.toLowerCase();
  throw invalidField(`parameters.${name}`, 'expected an Ethereum address: mixed case has to be as in EIP-55');
}
