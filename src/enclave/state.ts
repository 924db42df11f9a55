/**
 * The state of one organization as the enclave sees it: plain immutable data. Effects return a next state that shares
 * whatever did not change; the ledger finds the pages to write by comparing references, so never change an entity in place.
 * Times are Unix milliseconds, ids UUID text.
 */

import type { Curve } from '../decode/curve.ts';
import type { AccountKind } from '../decode/user-operation/account-kinds.ts';
import type { EntryPoint } from '../decode/user-operation/user-operation.ts';
import type { AuthenticationType } from '../protocol/activities/mfa-fields.ts';
import type { ApiKeyCurve } from '../stamping/api-key-stamp.ts';
import type { ActivityFacts, VoteRecord } from './activity-record.ts';

export type Settings = {
  readonly name: string;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly rootQuorum: { readonly threshold: number; readonly userIds: readonly string[] };
  readonly features: readonly { readonly name: string; readonly value: string }[];
  /** Origins and RP ids for this organization's passkeys, fixed at creation; null: those the service is set to. */
  readonly origins: readonly string[] | null;
  readonly rpIds: readonly string[] | null;
};

export type Authenticator = {
  readonly id: string;
  readonly name: string;
  /** base64url without padding, as in the stamp. */
  readonly credentialId: string;
  /** COSE_Key. */
  readonly publicKey: Uint8Array;
  readonly rpId: string;
  readonly aaguid: Uint8Array;
  readonly transports: readonly string[];
  readonly backupEligible: boolean;
  readonly createdAt: number;
  readonly updatedAt: number;
};

export type ApiKey = {
  readonly id: string;
  readonly name: string;
  /** Lower-case hex: compressed point, or the 32 bytes of Ed25519. */
  readonly publicKey: string;
  readonly curve: ApiKeyCurve;
  /** Turnkey's `CREDENTIAL_TYPE_…`. */
  readonly type: string;
  readonly expirationSeconds?: number;
  /** Of the profile among the organization's `sessionProfiles` whose scope bounds what this key is good for. */
  readonly sessionProfileId?: string;
  readonly createdAt: number;
  readonly updatedAt: number;
};

export type User = {
  readonly id: string;
  readonly name: string;
  readonly email?: string;
  readonly phoneNumber?: string;
  readonly authenticators: readonly Authenticator[];
  readonly apiKeys: readonly ApiKey[];
  readonly tagIds: readonly string[];
  readonly mfaPolicies?: readonly MfaPolicy[];
  readonly createdAt: number;
  readonly updatedAt: number;
};

/** With what a user has to authenticate for what its condition holds of. Of those that apply the lowest `order` counts. */
export type MfaPolicy = {
  readonly id: string;
  readonly name: string;
  readonly condition: string;
  /** All of these steps, each by one of its methods. */
  readonly steps: readonly (readonly AuthenticationMethod[])[];
  /** No two of a user are the same. */
  readonly order: number;
  readonly notes?: string;
  readonly createdAt: number;
  readonly updatedAt: number;
};

/** `id`: of the one credential, or of a session's profile; absent: any of the type. */
export type AuthenticationMethod = { readonly type: AuthenticationType; readonly id?: string };

/** What sessions are good for. It never changes: what bounds a session cannot be widened behind it. */
export type SessionProfile = {
  readonly id: string;
  readonly name: string;
  /** A condition, which has to hold of every activity. */
  readonly scope: string;
  /** The longest that a session with it lasts. */
  readonly expirationSeconds?: number;
  readonly notes?: string;
  readonly createdAt: number;
  readonly updatedAt: number;
};

export type Policy = {
  readonly id: string;
  readonly name: string;
  readonly effect: 'EFFECT_ALLOW' | 'EFFECT_DENY' | 'EFFECT_GUARD';
  /** Of a guard: how long a change or removal of it waits. */
  readonly delaySeconds?: number;
  /** Of its expressions; absent: Turnkey's language where a text is an expression of it, otherwise CEL. */
  readonly language?: 'cel' | 'turnkey';
  readonly condition: string;
  readonly consensus: string;
  readonly time?: string;
  readonly notes: string;
  readonly createdAt: number;
  readonly updatedAt: number;
};

/** The seed lies under the wallet's own id among the sealed keys: BIP-39 entropy. */
export type Wallet = {
  readonly id: string;
  readonly name: string;
  /** SHA-256 of the seed's entropy, which its sealed row is bound to. */
  readonly seedDigest: string;
  readonly exported: boolean;
  readonly imported: boolean;
  readonly createdAt: number;
  readonly updatedAt: number;
};

/** Its private key lies under the account's own id among the sealed keys, bound to `publicKey`. */
export type WalletAccount = {
  readonly id: string;
  readonly walletId: string;
  readonly name?: string;
  readonly curve: Curve;
  readonly path: string;
  readonly addressFormat: string;
  readonly address: string;
  /** Lower-case hex, compressed. */
  readonly publicKey: string;
  readonly createdAt: number;
  readonly updatedAt: number;
};

/** Its secret lies under its own id among the sealed keys, bound to `publicKey`. */
export type PrivateKey = {
  readonly id: string;
  readonly name: string;
  readonly curve: Curve;
  readonly publicKey: string;
  readonly addresses: readonly { readonly format: string; readonly address: string }[];
  readonly tagIds: readonly string[];
  readonly exported: boolean;
  readonly imported: boolean;
  readonly createdAt: number;
  readonly updatedAt: number;
};

/** A name for several users or private keys, which policies refer to by its id. */
export type Tag = {
  readonly id: string;
  readonly name: string;
  readonly type: 'TAG_TYPE_USER' | 'TAG_TYPE_PRIVATE_KEY';
  readonly createdAt: number;
  readonly updatedAt: number;
};

/** The ABI of a contract, so that policies can name functions and arguments of its calls. */
export type SmartContractInterface = {
  readonly id: string;
  /** Ethereum: lower case. */
  readonly address: string;
  readonly type: 'SMART_CONTRACT_INTERFACE_TYPE_ETHEREUM' | 'SMART_CONTRACT_INTERFACE_TYPE_SOLANA';
  /** The JSON as it was uploaded. */
  readonly json: string;
  readonly label: string;
  readonly notes: string;
  readonly createdAt: number;
  readonly updatedAt: number;
};

/** For others; for more authenticators of one who voted; or, everybody agreeing, for its time. */
export type WaitingStatus =
  | 'ACTIVITY_STATUS_CONSENSUS_NEEDED'
  | 'ACTIVITY_STATUS_AUTHENTICATORS_NEEDED'
  | 'ACTIVITY_STATUS_PENDING';

/** A smart account whose owner is a key of the organization: what its operations may be, which no request chooses. */
export type SmartAccount = {
  readonly id: string;
  readonly name: string;
  /** Lower case, as all addresses here. */
  readonly address: string;
  /** Id of the wallet account or private key that owns it. */
  readonly keyId: string;
  readonly kind: AccountKind;
  readonly entryPoint: EntryPoint;
  /** Decimal; none: all. */
  readonly chainIds: readonly string[];
  /** The one way in which an operation may deploy it; absent: none. */
  readonly factory?: { readonly address: string; readonly data: string };
  readonly delegate?: string;
  readonly ownerIndex?: number;
  readonly module?: string;
  readonly createdAt: number;
  readonly updatedAt: number;
};

/** An activity that waits for votes. It becomes a row of the log when it is final. */
export type PendingActivity = {
  readonly id: string;
  readonly type: string;
  readonly status: WaitingStatus;
  /** Unix ms before which it cannot be carried out, whoever approves; null where nothing makes it wait. */
  readonly notBefore: number | null;
  /** The exact body that was submitted, and its keyed digest (16 bytes). */
  readonly body: Uint8Array;
  readonly completion?: string;
  readonly fingerprint: Uint8Array;
  /** Of the body: `timestampMs`. */
  readonly time: number;
  readonly intentKey: string;
  readonly resultKey: string;
  /** The first is that of the submission. */
  readonly votes: readonly VoteRecord[];
  readonly facts: ActivityFacts;
  readonly createdAt: number;
  readonly updatedAt: number;
};

/** What changes with every request, apart from pages: keyed by authenticator or API key id. */
export type Counters = {
  readonly signCounts: Readonly<Record<string, number>>;
  /** Sums that policies ask about, by what is counted; see spending.ts. */
  readonly windows?: Readonly<Record<string, readonly WindowEntry[]>>;
  /** Unix ms of the last activity of a kind that policies ask about; see past.ts. */
  readonly last?: Readonly<Record<string, number>>;
};

/** Whom something was signed for, as far as policies ask; its id says as what, on which chain, and to which address. */
export type Destination = { readonly id: string };

/** Unix minutes of the first and the last that it sums up, and the sum in decimal digits. */
export type WindowEntry = readonly [first: number, last: number, sum: string];

type Entities<T> = ReadonlyMap<string, T>;

export type Organization = {
  readonly id: string;
  /** null for a parent organization. */
  readonly parentId: string | null;
  readonly settings: Settings;
  readonly users: Entities<User>;
  readonly policies: Entities<Policy>;
  readonly wallets: Entities<Wallet>;
  readonly accounts: Entities<WalletAccount>;
  readonly privateKeys: Entities<PrivateKey>;
  readonly tags: Entities<Tag>;
  readonly interfaces: Entities<SmartContractInterface>;
  readonly smartAccounts: Entities<SmartAccount>;
  /** Its own, and those of its parent that keys of its users are bound by. */
  readonly sessionProfiles: Entities<SessionProfile>;
  readonly pending: Entities<PendingActivity>;
  readonly destinations: Entities<Destination>;
  readonly counters: Counters;
  /** Deleted organizations keep a head and nothing else. */
  readonly deleted: boolean;
};

/** What an organization with nothing in it has in it. */
export const noContent = {
  users: new Map(),
  policies: new Map(),
  wallets: new Map(),
  accounts: new Map(),
  privateKeys: new Map(),
  tags: new Map(),
  interfaces: new Map(),
  smartAccounts: new Map(),
  sessionProfiles: new Map(),
  pending: new Map(),
  destinations: new Map(),
  counters: { signCounts: {} },
} as const satisfies Partial<Organization>;

/** `map` with `entity` put under its id; the order of first insertion stays. */
export function put<T extends { readonly id: string }>(map: Entities<T>, ...entities: readonly T[]): Entities<T> {
  const next = new Map(map);
  for (const entity of entities) next.set(entity.id, entity);
  return next;
}

/** `map` without `ids`. */
export function without<T>(map: Entities<T>, ids: readonly string[]): Entities<T> {
  const next = new Map(map);
  for (const id of ids) next.delete(id);
  return next;
}
