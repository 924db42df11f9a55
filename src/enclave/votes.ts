/** Votes about an activity: which of them count now, and what policies are told of those who cast them. */
import { randomUUID } from 'node:crypto';
import type { Approval } from '../policy/approvals.ts';
import type { Value } from '../policy/types.ts';
import { flag, readAuthenticatorData } from '../stamping/authenticator-data.ts';
import { isExpired } from './activities/credentials.ts';
import { stampOf, type VoteRecord, type VoteStamp } from './activity-record.ts';
import type { Held } from './mfa.ts';
import { nanoseconds, struct } from './policy-values.ts';
import type { Caller } from './resolve-caller.ts';
import type { Organization, User } from './state.ts';

/** How long a vote counts, in ms: Turnkey's 24 hours. */
export const voteLifetime = 24 * 60 * 60 * 1000;

export function voteOf(
  { user, credential }: Caller,
  selection: VoteRecord['selection'],
  now: number,
  body?: Uint8Array,
): VoteRecord {
  const vote = { id: randomUUID(), userId: user.id, stamp: stampOf(credential), selection, createdAt: now };
  return body ? { ...vote, body } : vote;
}

/** A vote whose user and credential are still what they were. */
type Standing = { readonly user: Value; readonly credential: Value };

/** What a decision knows about who agreed. */
export type Approvals = {
  readonly approvers: readonly Value[];
  readonly credentials: readonly Value[];
  /** Users who have said neither yes nor no, with what they could still say yes with. */
  readonly others: () => readonly Approval[];
};

/** Of the votes, those count that are young enough and whose user still holds the credential. */
export const countVotes = (
  votes: readonly VoteRecord[],
  { users }: Organization,
  now: number,
  counts: (userId: string, credential: Held) => boolean = () => true,
): Approvals => count(votes, users, now, (vote) => standingOf(vote, users, now, counts));

/** The credentials that users agree with, by user, of the votes that `countVotes` counts. */
export function shownCredentials(
  votes: readonly VoteRecord[],
  { users }: Organization,
  now: number,
  counts: (userId: string, credential: Held) => boolean,
): ReadonlyMap<string, readonly Held[]> {
  const { standing } = tally(votes, now, (vote) => {
    const credential = credentialOf(vote, users, now);
    return credential && counts(vote.userId, credential) ? credential : undefined;
  });
  return new Map([...standing].map(([userId, shown]) => [userId, [...shown.values()]]));
}

/**
 * The votes about what was decided at `at`, as they counted then: whose user or credential has gone since is known by what the
 * vote itself tells. More of it is empty, such as tags and names, and an error where there is nothing empty.
 */
export function countPastVotes(votes: readonly VoteRecord[], { users: all }: Organization, at: number): Approvals {
  const users = new Map([...all].filter(([, { createdAt }]) => createdAt <= at));
  return count(votes, users, at, (vote) => {
    const user = users.get(vote.userId);
    const isHeld = user !== undefined && heldCredential(user, vote.stamp) !== undefined;
    return isHeld ? standingOf(vote, users, at) : standingThen(vote, users);
  });
}

function count(
  votes: readonly VoteRecord[],
  users: Organization['users'],
  now: number,
  standingFor: (vote: VoteRecord) => Standing | undefined,
): Approvals {
  const { standing, rejecting } = tally(votes, now, standingFor);
  const counted = [...standing.values()].map((shown) => [...shown.values()]);
  return {
    approvers: counted.flatMap(([first]) => (first ? [first.user] : [])),
    credentials: counted.flat().map(({ credential }) => credential),
    others: () =>
      [...users.values()]
        .filter(({ id }) => !standing.has(id) && !rejecting.has(id))
        .map((user) => ({ user: userFacts(user), credentials: credentialsOf(user, now) })),
  };
}

/** What stands, by user and by credential: a rejection takes back what its user agreed to before. */
function tally<Stands>(
  votes: readonly VoteRecord[],
  now: number,
  standingFor: (vote: VoteRecord) => Stands | undefined,
): { standing: ReadonlyMap<string, ReadonlyMap<string, Stands>>; rejecting: ReadonlySet<string> } {
  const standing = new Map<string, Map<string, Stands>>();
  const rejecting = new Set<string>();
  for (const vote of votes) {
    const { userId, stamp, selection, createdAt } = vote;
    if (selection === 'VOTE_SELECTION_REJECTED') {
      rejecting.add(userId);
      standing.delete(userId);
      continue;
    }
    const stands = now - createdAt < voteLifetime ? standingFor(vote) : undefined;
    if (!stands) continue;
    rejecting.delete(userId);
    const credential = stamp.kind === 'passkey' ? stamp.credentialId : stamp.publicKey;
    standing.set(userId, new Map(standing.get(userId)).set(credential, stands));
  }
  return { standing, rejecting };
}

function standingOf(
  vote: VoteRecord,
  users: Organization['users'],
  now: number,
  counts: (userId: string, credential: Held) => boolean = () => true,
): Standing | undefined {
  const { userId, stamp } = vote;
  const user = users.get(userId);
  const held = credentialOf(vote, users, now);
  if (!user || !held || !counts(userId, held)) return undefined;
  return { user: userFacts(user), credential: credentialFacts(userId, held, stamp, now) };
}

/** The credential that a vote was cast with, as long as its user holds it and it is of use. */
export function credentialOf(
  { userId, stamp }: VoteRecord,
  users: Organization['users'],
  now: number,
): Held | undefined {
  const user = users.get(userId);
  const held = user && heldCredential(user, stamp);
  return held?.kind === 'apiKey' && isExpired(held.held, now) ? undefined : held;
}

function standingThen({ userId, stamp }: VoteRecord, users: Organization['users']): Standing {
  const user = users.get(userId);
  return { user: user ? userFacts(user) : struct({ id: userId }), credential: stampFacts(userId, stamp) };
}

/** The credential of `user` that made `stamp`, as long as it is the same one. */
function heldCredential(user: User, stamp: VoteStamp): Held | undefined {
  if (stamp.kind === 'passkey') {
    const held = user.authenticators.find(({ credentialId }) => credentialId === stamp.credentialId);
    return held && Buffer.compare(held.publicKey, stamp.publicKey) === 0 ? { kind: 'passkey', held } : undefined;
  }
  const held = user.apiKeys.find(({ publicKey }) => publicKey === stamp.publicKey);
  return held && { kind: 'apiKey', held };
}

const userFacts = ({ id, tagIds, email, name, createdAt }: User): Value =>
  struct({ id, tags: tagIds, email: email ?? '', alias: name, created_at: nanoseconds(createdAt) });

function credentialFacts(userId: string, { kind, held }: Held, stamp: VoteStamp | null, now: number): Value {
  const common = { id: held.id, user_id: userId, age: nanoseconds(now - held.createdAt) };
  if (kind === 'apiKey') {
    const { type, publicKey } = held;
    return struct({ ...common, type, ...apiKeyFacts, public_key: publicKey });
  }
  const shown = stamp?.kind === 'passkey' ? readAuthenticatorData(Buffer.from(stamp.authenticatorData)) : null;
  // Of a vote that is only imagined: what the passkey can do.
  const flags = shown?.flags ?? flag.UV;
  return struct({
    ...common,
    type: 'CREDENTIAL_TYPE_WEBAUTHN_AUTHENTICATOR',
    credential_id: held.credentialId,
    public_key: Buffer.from(held.publicKey).toString('hex'),
    user_verified: (flags & flag.UV) !== 0,
    backup_eligible: held.backupEligible,
    backed_up: (flags & flag.BS) !== 0,
    counter: BigInt(shown?.signCount ?? 0),
  });
}

/** What a stamp tells of the credential that made it. */
function stampFacts(userId: string, stamp: VoteStamp): Value {
  if (stamp.kind === 'apiKey') return struct({ user_id: userId, ...apiKeyFacts, public_key: stamp.publicKey });
  const { flags, signCount } = readAuthenticatorData(Buffer.from(stamp.authenticatorData));
  return struct({
    user_id: userId,
    type: 'CREDENTIAL_TYPE_WEBAUTHN_AUTHENTICATOR',
    credential_id: stamp.credentialId,
    public_key: Buffer.from(stamp.publicKey).toString('hex'),
    user_verified: (flags & flag.UV) !== 0,
    backup_eligible: (flags & flag.BE) !== 0,
    backed_up: (flags & flag.BS) !== 0,
    counter: BigInt(signCount),
  });
}

const apiKeyFacts = {
  credential_id: '',
  user_verified: false,
  backup_eligible: false,
  backed_up: false,
  counter: 0n,
} as const;

const credentialsOf = ({ id, authenticators, apiKeys }: User, now: number): Value[] => [
  ...authenticators.map((held) => credentialFacts(id, { kind: 'passkey', held }, null, now)),
  ...apiKeys
    .filter((key) => !isExpired(key, now))
    .map((held) => credentialFacts(id, { kind: 'apiKey', held }, null, now)),
];
