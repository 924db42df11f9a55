/** Votes about an activity: which of them count now, and what policies are told of those who cast them. */
import { randomUUID } from 'node:crypto';
import type { Approval } from '../policy/approvals.ts';
import type { Value } from '../policy/types.ts';
import { flag, readAuthenticatorData } from '../stamping/authenticator-data.ts';
import { isExpired } from './activities/credentials.ts';
import { stampOf, type VoteRecord, type VoteStamp } from './activity-record.ts';
import { nanoseconds, struct } from './policy-values.ts';
import type { Caller } from './resolve-caller.ts';
import type { ApiKey, Authenticator, Organization, User } from './state.ts';

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

type Held = { kind: 'passkey'; held: Authenticator } | { kind: 'apiKey'; held: ApiKey };
/** A vote whose user and credential are still what they were. */
type Standing = { readonly user: User; readonly credential: Value };

/** What a decision knows about who agreed. */
export type Approvals = {
  readonly approvers: readonly Value[];
  readonly credentials: readonly Value[];
  /** Users who have said neither yes nor no, with what they could still say yes with. */
  readonly others: () => readonly Approval[];
};

/** Of the votes, those count that are young enough and whose user still holds the credential. */
export function countVotes(votes: readonly VoteRecord[], { users }: Organization, now: number): Approvals {
  const standing = new Map<string, Standing>();
  const rejecting = new Set<string>();
  for (const { userId, stamp, selection, createdAt } of votes) {
    if (selection === 'VOTE_SELECTION_REJECTED') {
      rejecting.add(userId);
      standing.delete(userId);
      continue;
    }
    const user = users.get(userId);
    const held = user && heldCredential(user, stamp);
    if (!user || !held || now - createdAt >= voteLifetime) continue;
    if (held.kind === 'apiKey' && isExpired(held.held, now)) continue;
    rejecting.delete(userId);
    standing.set(userId, { user, credential: credentialFacts(userId, held, stamp, now) });
  }
  const counted = [...standing.values()];
  return {
    approvers: counted.map(({ user }) => userFacts(user)),
    credentials: counted.map(({ credential }) => credential),
    others: () =>
      [...users.values()]
        .filter(({ id }) => !standing.has(id) && !rejecting.has(id))
        .map((user) => ({ user: userFacts(user), credentials: credentialsOf(user, now) })),
  };
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
    return struct({
      ...common,
      type,
      credential_id: '',
      public_key: publicKey,
      user_verified: false,
      backup_eligible: false,
      backed_up: false,
      counter: 0n,
    });
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

const credentialsOf = ({ id, authenticators, apiKeys }: User, now: number): Value[] => [
  ...authenticators.map((held) => credentialFacts(id, { kind: 'passkey', held }, null, now)),
  ...apiKeys
    .filter((key) => !isExpired(key, now))
    .map((held) => credentialFacts(id, { kind: 'apiKey', held }, null, now)),
];
