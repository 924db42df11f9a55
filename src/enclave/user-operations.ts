/**
 * From a request to the user operation that would be signed, and to what is sealed about its account. Which account kind,
 * EntryPoint and code an operation has is never the request's word alone: it is pinned by `create_smart_account`, or bound by
 * the operation's own hash (EIP-7702).
 */
import { type SmartAccount as AccountForm, accountRules } from '../decode/user-operation/account-kinds.ts';
import { knownDelegates } from '../decode/user-operation/known-delegates.ts';
import { readTypedDataOperation } from '../decode/user-operation/typed-data-operation.ts';
import {
  type EntryPoint,
  entryPoints,
  readUserOperation,
  type UserOperation,
} from '../decode/user-operation/user-operation.ts';
import type { OperationForm } from '../protocol/activities/user-operation-fields.ts';
import { CountersignError } from '../protocol/errors.ts';
import { invalidField } from './activities/refusals.ts';
import { findSigner, type Signer } from './activities/signers.ts';
import { applyIntent } from './operation-intent.ts';
import type { Organization, SmartAccount } from './state.ts';

export type OwnedOperation = {
  readonly operation: UserOperation;
  readonly account: AccountForm;
  readonly signer: Signer;
  /** Of the key that signs, in lower case; empty for a key without one. */
  readonly ownerAddress: string;
};

/** Parsed parameters of the activities that sign user operations; `limits` where only an intent was stamped. */
export type OperationParameters = OperationForm & Parameters<typeof applyIntent>[0];

/** Whether the activity of this name signs user operations. */
export const signsOperation = (name: string): boolean =>
  name === 'sign_user_operation' || name === 'sign_user_operation_intent';

type Pins = Pick<Organization, 'smartAccounts' | 'accounts' | 'privateKeys'>;

/** By parameters, which never change in place, as are the pins: policies and effect read the same operation. */
const owned = new WeakMap<OperationParameters, { readonly pins: Pins; readonly read: OwnedOperation }>();

/** Throws, for what cannot be signed, the error for the caller. */
export function readOwnedOperation(pins: Pins, parameters: OperationParameters): OwnedOperation {
  const known = owned.get(parameters);
  if (known && samePins(known.pins, pins)) return known.read;
  const read = readOperation(pins, parameters);
  owned.set(parameters, { pins, read });
  return read;
}

const samePins = (one: Pins, other: Pins): boolean =>
  one.smartAccounts === other.smartAccounts && one.accounts === other.accounts && one.privateKeys === other.privateKeys;

function readOperation(organization: Pins, parameters: OperationParameters): OwnedOperation {
  const signer = findSigner(organization, parameters.signWith);
  if (signer.curve !== 'CURVE_SECP256K1') throw invalidField('parameters.signWith', 'invalid curve');
  const ownerAddress = ethereumAddressOf(organization, signer.id);
  const given = applyIntent(parameters);
  const sender = typeof given.sender === 'string' ? given.sender.toLowerCase() : '';
  const chainId = BigInt(parameters.chainId);
  const pinned = findPinned(organization, signer, sender, parameters.entryPoint.toLowerCase());
  const delegate = pinned?.delegate ?? parameters.delegate?.toLowerCase();
  const entryPoint = pinned?.entryPoint ?? canonical(parameters.entryPoint);
  const context = { chainId, entryPoint, ...(delegate && { delegate }) };
  const operation = readUserOperation(given, context, 'parameters.userOperation');
  const account = pinned ? ofPinned(pinned, operation) : ofDelegate(operation, ownerAddress);
  return { operation, account: { ...account, ...readTimes(parameters, account) }, signer, ownerAddress };
}

function readTimes(parameters: OperationParameters, { kind }: AccountForm) {
  const times: { validAfter?: bigint; validUntil?: bigint } = {};
  for (const name of ['validAfter', 'validUntil'] as const) {
    const seconds = BigInt(parameters[name] ?? 0);
    if (seconds === 0n) continue;
    if (accountRules[kind].signs !== 'safe_operation') throw refused(name, `${kind} accounts do not bind a time`);
    times[name] = seconds;
  }
  return times;
}

/**
 * The operation that typed data are, for the key that would sign them; undefined where it cannot be told what they do. The
 * digest is that of `sign_user_operation`, so policies have to see the same.
 */
export function readTypedOperation(organization: Organization, signer: Signer, text: string) {
  const pinned = [...organization.smartAccounts.values()].filter(({ keyId }) => keyId === signer.id);
  const ownerAddress = ethereumAddressOf(organization, signer.id);
  const operation = readTypedDataOperation(text, {
    entryPointOf: (address) => {
      const version = entryPoints.get(address);
      return version ? { address, version } : pinned.find((each) => each.entryPoint.address === address)?.entryPoint;
    },
    isDelegate: (sender, address) =>
      pinned.some((each) => each.address === sender && each.delegate === address) ||
      (sender === ownerAddress && knownDelegates.has(address)),
  });
  if (!operation) return undefined;
  const account = findPinned(organization, signer, operation.sender, operation.entryPoint.address);
  try {
    return { operation, account: account ? ofPinned(account, operation) : ofDelegate(operation, ownerAddress) };
  } catch {
    return undefined;
  }
}

/** Whether the key owns a smart account: then a bare digest could be an operation of it. */
export const ownsSmartAccount = ({ smartAccounts }: Pins, keyId: string): boolean =>
  [...smartAccounts.values()].some((account) => account.keyId === keyId);

/** Addresses of the smart accounts that the key owns, in lower case. */
export const smartAccountsOf = ({ smartAccounts }: Pins, keyId: string): readonly string[] =>
  [...smartAccounts.values()].filter((account) => account.keyId === keyId).map(({ address }) => address);

/** The Ethereum address of a key, in lower case, or empty. */
export function ethereumAddressOf({ accounts, privateKeys }: Pins, keyId: string): string {
  const account = accounts.get(keyId);
  if (account) return account.addressFormat === 'ADDRESS_FORMAT_ETHEREUM' ? account.address.toLowerCase() : '';
  const addresses = privateKeys.get(keyId)?.addresses ?? [];
  return addresses.find(({ format }) => format === 'ADDRESS_FORMAT_ETHEREUM')?.address.toLowerCase() ?? '';
}

function findPinned({ smartAccounts }: Pins, signer: Signer, sender: string, entryPoint: string) {
  return [...smartAccounts.values()].find(
    (account) => account.address === sender && account.keyId === signer.id && account.entryPoint.address === entryPoint,
  );
}

function canonical(given: string): EntryPoint {
  const address = given.toLowerCase();
  const version = entryPoints.get(address);
  if (version) return { address, version };
  throw refused(
    'entryPoint',
    `${address} is no known EntryPoint: pin a smart account that uses it (create_smart_account)`,
  );
}

function ofPinned(pinned: SmartAccount, operation: UserOperation): AccountForm {
  const { chainIds, factory, delegate, kind, ownerIndex, module } = pinned;
  if (chainIds.length > 0 && !chainIds.includes(String(operation.chainId))) {
    throw refused('chainId', `the smart account is pinned to the chains ${chainIds.join(', ')}`);
  }
  if (operation.factory !== null && !operation.delegateBound) {
    const same = factory?.address === operation.factory && factory.data === hex(operation.factoryData);
    if (!same) throw refused('userOperation.factory', 'the smart account is not pinned with this way to deploy it');
  }
  if (delegate && operation.delegate !== delegate) {
    throw refused('userOperation.eip7702Auth', `the smart account is pinned to the delegate ${delegate}`);
  }
  return {
    kind,
    ...(delegate && { delegate }),
    ...(ownerIndex !== undefined && { ownerIndex: BigInt(ownerIndex) }),
    ...(module && (kind === 'safe-4337' ? { module } : { validator: module })),
  };
}

/** The signing address itself, run by code that the operation's hash binds and whose calls are understood. */
function ofDelegate({ sender, delegate, delegateBound }: UserOperation, ownerAddress: string): AccountForm {
  if (sender !== ownerAddress) {
    throw new CountersignError(
      'NOT_FOUND',
      `${sender} is not pinned as a smart account of this key and EntryPoint: use create_smart_account`,
      { fields: [{ field: 'parameters.userOperation.sender', description: 'no smart account of this key is this' }] },
    );
  }
  if (!delegate || !delegateBound) {
    const ways =
      'have its factory be 0x7702 and name the delegate, so that its hash binds the code, or pin the account';
    throw refused('userOperation.factory', `the operation does not say which code the account runs: ${ways}`);
  }
  const kind = knownDelegates.get(delegate)?.kind;
  if (!kind) throw refused('userOperation.eip7702Auth', `${delegate} is no known delegate: pin the account with it`);
  return { kind, delegate };
}

const hex = (bytes: Buffer): string => `0x${bytes.toString('hex')}`;

const refused = (field: string, message: string): CountersignError => invalidField(`parameters.${field}`, message);
