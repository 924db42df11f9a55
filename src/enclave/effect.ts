/** What the effect of an activity is given and gives back. Effects decide nothing about rights: that is done before them. */
import type {
  Activity,
  Parameters,
  Query,
  QueryRequest,
  QueryResponse,
  Result,
} from '../protocol/activities/activity.ts';
import type { ActivityObject } from '../protocol/queries/objects.ts';
import type { Question } from './authorize.ts';
import type { Recorded } from './carry-out.ts';
import type { PastQuestion } from './past-question.ts';
import type { Organization, SessionProfile, User } from './state.ts';
import type { Submission } from './submission.ts';

/** A secret to be sealed under (organization, id, binding). The ledger zeroes `secret` once it is sealed. */
export type NewKey = { organizationId: string; id: string; binding: string; secret: Buffer };

export type EffectContext = {
  /** The organization that the activity acts in, in its newest state. */
  readonly organization: Organization;
  /** Unix milliseconds of this transition. */
  readonly now: number;
  /** A fresh UUID v4. */
  newId(): string;
  random(size: number): Buffer;
  /**
   * Unseals the key `id` of this organization, which must be bound to `binding` (`publicKey` of an account or key,
   * `seedDigest` of a wallet), runs `use` and zeroes the secret, whatever happens.
   */
  withKey<T>(id: string, binding: string, use: (secret: Buffer) => T): Promise<T>;
  /** Where passkeys of an organization may be made and used. */
  readonly passkeys: PasskeyRules;
  /** Other users' claims on an identity under the same parent; see `Identity`. */
  readonly identities: IdentityIndex;
  readonly parentProfiles: ProfileReader;
};

/** The session profiles of the organization's parent; none for a parent. */
export type ProfileReader = () => Promise<ReadonlyMap<string, SessionProfile>>;

export type PasskeyRules = { readonly origins: readonly string[]; readonly rpIds: readonly string[] };

/** What a passkey's stamp must fulfil besides. */
export type StampRules = PasskeyRules & { readonly requireUserVerification: boolean };

export type Identity = { kind: 'credentialId' | 'publicKey'; value: string };

export type IdentityHit = { organizationId: string; userId: string; keyDigest: Uint8Array };

export type IdentityIndex = {
  /** All organizations under `parentId` (itself included) that hold the identity; absence is known, not believed. */
  find(parentId: string, identity: Identity): IdentityHit[];
};

export type Outcome<R> = {
  readonly result: R;
  /** Next state of the organization; absent where nothing in its pages changes. */
  readonly organization?: Organization;
  /** Sub-organizations that come into being. */
  readonly created?: readonly Organization[];
  readonly keys?: readonly NewKey[];
  /** Ids of keys of this organization that no page names any more. */
  readonly removedKeys?: readonly string[];
};

export type Effect<A extends Activity> = (
  context: EffectContext,
  parameters: Parameters<A>,
) => Outcome<Result<A>> | Promise<Outcome<Result<A>>>;

export type QueryContext = {
  /** The organization that is read, in its newest state. */
  readonly organization: Organization;
  readonly caller: { readonly organization: Organization; readonly user: User };
  readonly now: number;
  readonly identities: IdentityIndex;
  readonly activities: ActivityReader;
  readonly questions: QuestionReader;
  readonly subOrganizations: SubOrganizationReader;
  readonly parentProfiles: ProfileReader;
};

/** Activities as answered on the wire, each checked against the released log. */
export type ActivityReader = {
  get(id: string): Promise<ActivityObject | undefined>;
  list(page: ActivityPage): Promise<ActivityObject[]>;
};

/** What policies are asked: about activities as they are kept, and about what the caller could ask for. */
export type QuestionReader = {
  record(id: string): Promise<Recorded | undefined>;
  /** In the order of `ids`, without those that there are not. */
  records(ids: readonly string[]): Promise<readonly Recorded[]>;
  /** The id of the activity whose body has this SHA-256 (hex); NOT_FOUND where it is unknown or no longer remembered. */
  idOf(digest: string): Promise<string>;
  /** With the first `votes` of its votes, at `now`. */
  ofRecord(record: Recorded, votes: number, now: number): Question;
  /** As it was decided last; what still waits, as of now. */
  ofPast(record: Recorded): PastQuestion;
  /** As a request asked that was sent before; `activityId` of what it became. INVALID_ARGUMENT where its stamp is not good. */
  ofRequest(request: SentRequest): Promise<PastQuestion & { readonly activityId: string | undefined }>;
  /** As if the caller submitted it now. Throws where no request of the caller could be carried out. */
  ofCaller(submission: Submission): Question;
};

/** A request as it was sent: the exact body, and the header that stamped it. */
export type SentRequest = {
  readonly body: string;
  readonly stamp: { readonly header: 'X-Stamp' | 'X-Stamp-Webauthn'; readonly value: string };
};

export type Pagination = { limit: number; before?: string; after?: string };
export type ActivityPage = Pagination & { types: readonly string[]; statuses: readonly string[] };

/** `kind`s of the name filters; hits are verified, completeness is not promised. */
export type HintKind = 'NAME' | 'USERNAME' | 'EMAIL' | 'PHONE_NUMBER' | 'WALLET_ACCOUNT_ADDRESS';

export type SubOrganizationReader = {
  list(page: Pagination & { hint?: { kind: HintKind; value: string } }): Promise<Organization[]>;
};

export type Answer<Q extends Query> = (
  context: QueryContext,
  request: QueryRequest<Q>,
) => Immutable<QueryResponse<Q>> | Promise<Immutable<QueryResponse<Q>>>;

/** An answer is only written out. */
type Immutable<T> = T extends object ? { readonly [K in keyof T]: Immutable<T[K]> } : T;
