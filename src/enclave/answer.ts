/** What a query is given to answer from. */
import type { Query, QueryRequest, QueryResponse } from '../protocol/activities/activity.ts';
import type { ActivityObject } from '../protocol/queries/objects.ts';
import type { Recorded } from './activity-record.ts';
import type { Question } from './authorize.ts';
import type { IdentityIndex, ProfileReader } from './effect.ts';
import type { HintKind } from './ledger/identities.ts';
import type { PastQuestion } from './past-question.ts';
import type { Organization, User } from './state.ts';
import type { Submission } from './submission.ts';

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
  /** Of a final activity; with `stamps`, those of its votes are in it. */
  receipt(id: string, stamps: boolean): Promise<Buffer | undefined>;
};

/** What policies are asked: about activities as they are kept, and about what the caller could ask for. */
export type QuestionReader = {
  /** An activity, or a denial that is remembered. */
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

export type SubOrganizationReader = {
  list(page: Pagination & { hint?: { kind: HintKind; value: string } }): Promise<Organization[]>;
};

export type Answer<Q extends Query> = (
  context: QueryContext,
  request: QueryRequest<Q>,
) => Immutable<QueryResponse<Q>> | Promise<Immutable<QueryResponse<Q>>>;

/** An answer is only written out. */
type Immutable<T> = T extends object ? { readonly [K in keyof T]: Immutable<T[K]> } : T;
