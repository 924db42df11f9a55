/** What policies are told of an activity: from its parameters, the organization, and the very bytes that would be signed. */
import { type ContractInterface, parseContractInterface } from '../decode/facts/contract-interface.ts';
import { isSigningActivity, operationFacts, type SigningFacts, signingFacts } from '../decode/facts/signing-facts.ts';
import { activityKind } from '../policy/activity-kind.ts';
import { activityClass } from '../policy/schema/activities.ts';
import { exposedParameters } from '../policy/schema/parameters.ts';
import type { Value } from '../policy/types.ts';
import type { Facts } from '../policy/values.ts';
import { findSigner } from './activities/signers.ts';
import { nanoseconds, struct } from './policy-values.ts';
import type { Organization, PrivateKey, SmartContractInterface, Wallet, WalletAccount } from './state.ts';
import type { Submission } from './submission.ts';
import {
  ethereumAddressOf,
  type OperationParameters,
  readOwnedOperation,
  readTypedOperation,
  signsOperation,
  smartAccountsOf,
} from './user-operations.ts';

/**
 * The facts of an activity apart from who approved it: one entry for each thing that it signs, every one of which a policy
 * has to hold for. Throws, for what could not be carried out either, the error for the caller.
 */
export function activityFacts(
  submission: Submission,
  organization: Organization,
  now: number,
  origin: string | null,
): Facts[] {
  const { activity, type, parameters } = submission;
  const kind = activityKind(type);
  const common: Facts = {
    activity: struct({
      type,
      kind,
      resource: activityClass(kind)?.resource ?? '',
      action: activityClass(kind)?.action ?? '',
      params: exposed(kind, parameters as Record<string, unknown>),
    }),
    organization: struct({
      id: organization.id,
      name: organization.settings.name,
      parent_id: organization.parentId ?? '',
    }),
    request: struct({ origin: origin ?? undefined }),
    now: nanoseconds(now),
    time: struct({ now: nanoseconds(now) }),
  };
  if (!signs(activity.name)) {
    return [{ ...common, ...managedFacts(organization, activity.name, parameters as Managed) }];
  }
  const { facts: signer, address } = signerFacts(organization, (parameters as { signWith: string }).signWith);
  const signed = signedFacts(submission, organization, address);
  return signed.map((each) => ({ ...common, ...signer, ...(each as Facts) }));
}

/** Whether the activity of this name signs something. */
export const signs = (name: string): boolean => isSigningActivity(name) || signsOperation(name);

/** What the policies are told of each thing that is signed. */
function signedFacts(
  { activity: { name }, parameters }: Submission,
  organization: Organization,
  address: string,
): readonly SigningFacts[] {
  const signer = { address, interfaceOf: interfacesOf(organization) };
  if (isSigningActivity(name)) {
    return withOperations(
      signingFacts(name, parameters as never, signer),
      parameters as Payloads,
      organization,
      signer,
    );
  }
  const { operation, account } = readOwnedOperation(organization, parameters as OperationParameters);
  return operationFacts(operation, account, signer);
}

type Payloads = {
  readonly signWith: string;
  readonly encoding?: string;
  readonly payload?: string;
  readonly payloads?: readonly string[];
};

/** An operation that is signed as typed data is one to the policies too. */
function withOperations(
  signed: readonly SigningFacts[],
  { encoding, signWith, payload, payloads = [payload as string] }: Payloads,
  organization: Organization,
  signer: Parameters<typeof operationFacts>[2],
): readonly SigningFacts[] {
  if (encoding !== 'PAYLOAD_ENCODING_EIP712') return signed;
  return signed.map((each, index) => {
    const read = readTypedOperation(organization, findSigner(organization, signWith), payloads[index] as string);
    return read ? { ...each, ...operationFacts(read.operation, read.account, signer)[0] } : each;
  });
}

/** The Ethereum address that an activity signs with, in lower case, empty where there is none, and the smart accounts that it owns. */
export function signerOf({ activity, parameters }: Submission, organization: Organization) {
  if (!signs(activity.name)) return { signer: '', accounts: [] };
  const { id } = findSigner(organization, (parameters as { signWith: string }).signWith);
  return { signer: ethereumAddressOf(organization, id), accounts: smartAccountsOf(organization, id) };
}

/** `activity.params`, in Turnkey's names. */
function exposed(kind: string, parameters: Record<string, unknown>): Value {
  const names = exposedParameters[kind] ?? [];
  return struct(Object.fromEntries(names.map((name) => [name, parameters[camelCase(name)] as Value | undefined])));
}

const camelCase = (name: string): string => name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());

/** What signs, and its Ethereum address in lower case, or an empty text. */
function signerFacts(organization: Organization, signWith: string): { facts: Facts; address: string } {
  const { id } = findSigner(organization, signWith);
  const address = ethereumAddressOf(organization, id);
  const account = organization.accounts.get(id);
  if (account) {
    const wallet = organization.wallets.get(account.walletId);
    return {
      facts: { wallet_account: accountFacts(account), ...(wallet && { wallet: walletFacts(wallet) }) },
      address,
    };
  }
  return { facts: { private_key: privateKeyFacts(organization.privateKeys.get(id) as PrivateKey) }, address };
}

type Managed = {
  readonly walletId?: string;
  readonly walletIds?: readonly string[];
  readonly walletAccountIds?: readonly string[];
  readonly privateKeyIds?: readonly string[];
};

/** The wallets, accounts and keys that an activity changes or deletes. What is not there it will not be carried out on. */
function managedFacts({ wallets, accounts, privateKeys }: Organization, name: string, given: Managed): Facts {
  switch (name) {
    case 'update_wallet':
    case 'create_wallet_accounts': {
      const [wallet] = present(wallets, [given.walletId ?? '']);
      return wallet ? { wallet: walletFacts(wallet) } : {};
    }
    case 'delete_wallets':
      return { wallets: present(wallets, given.walletIds ?? []).map(walletFacts) };
    case 'delete_wallet_accounts': {
      const deleted = present(accounts, given.walletAccountIds ?? []);
      const ofWallets = [...new Set(deleted.map(({ walletId }) => walletId))];
      return { wallets: present(wallets, ofWallets).map(walletFacts), wallet_accounts: deleted.map(accountFacts) };
    }
    case 'delete_private_keys':
      return { private_keys: present(privateKeys, given.privateKeyIds ?? []).map(privateKeyFacts) };
    default:
      return {};
  }
}

const present = <T>(entities: ReadonlyMap<string, T>, ids: readonly string[]): readonly T[] =>
  ids.flatMap((id) => entities.get(id) ?? []);

const walletFacts = ({ id, imported, exported, name }: Wallet): Value =>
  struct({ id, imported, exported, label: name, tags: [] });

const accountFacts = (account: WalletAccount): Value =>
  struct({
    address: account.address,
    derivation_path: account.path,
    name: account.name ?? '',
    wallet_id: account.walletId,
    curve: account.curve,
    address_format: account.addressFormat,
    public_key: account.publicKey,
    tags: [],
  });

const privateKeyFacts = ({ id, tagIds, imported, exported, name, curve }: PrivateKey): Value =>
  struct({ id, tags: tagIds, imported, exported, label: name, curve });

type InterfaceOf = (address: string) => ContractInterface | undefined;

/** By the map that they are parsed from, which never changes in place. */
const readers = new WeakMap<object, InterfaceOf>();

/** The uploaded ABI of a contract; of several the oldest. */
export function interfacesOf({ interfaces }: Organization): InterfaceOf {
  const reader = readers.get(interfaces) ?? createReader(interfaces);
  readers.set(interfaces, reader);
  return reader;
}

/** They are parsed when the first is asked for. */
function createReader(interfaces: Organization['interfaces']): InterfaceOf {
  let parsed: ReadonlyMap<string, ContractInterface> | undefined;
  return (address) => {
    parsed ??= new Map(
      [...interfaces.values()]
        .filter(isEthereum)
        .reverse()
        .map(({ address, json }) => [address, parseContractInterface(json)]),
    );
    return parsed.get(address);
  };
}

const isEthereum = ({ type }: SmartContractInterface): boolean => type === 'SMART_CONTRACT_INTERFACE_TYPE_ETHEREUM';
