/**
 * Whether those who voted may vote so: with a key that is good for this activity, and with all the authenticators that their
 * MFA policies ask for. It binds everybody, the root quorum included, and nothing that the organization's policies say lifts it.
 */
import { holds } from '../policy/condition.ts';
import type { Facts } from '../policy/values.ts';
import type { VoteRecord } from './activity-record.ts';
import { type Question, requestsOf } from './authorize.ts';
import { scopeOf } from './conditions.ts';
import { type Held, type MfaStatus, mfaStatuses } from './mfa.ts';
import type { Organization } from './state.ts';
import { type Approvals, countVotes, credentialOf, shownCredentials } from './votes.ts';

export type Authentication = {
  /** What MFA policies ask of those who agree and of who started the activity. */
  readonly mfa: readonly MfaStatus[];
  /** Users who have not shown all of it: their votes do not count yet. */
  readonly lacking: ReadonlySet<string>;
  /** As if they had. */
  readonly claimed: Approvals;
  /** The last vote was cast by this user. */
  readonly voterId: string;
  /** The last vote was cast with a key that is not good for this activity. */
  readonly isOutOfScope: boolean;
};

const nobody: Approvals = { approvers: [], credentials: [], others: () => [] };

/** What policies are asked, with the votes that count. Throws what is wrong with what would be signed. */
export function questionWith(votes: readonly VoteRecord[], asked: Omit<Question, 'approvals'>): Question {
  const { submission, organization, initiatorId, now } = asked;
  const { users } = organization;
  let known: readonly Facts[] | undefined;
  const facts = () => {
    known ??= requestsOf({ ...asked, approvals: nobody }).requests.map((request) => request.facts);
    return known;
  };
  const isGood = (_: string, credential: Held) => isInScope(credential, organization, facts);

  const shown = shownCredentials(votes, organization, now, isGood);
  const mfa = [...new Set([initiatorId, ...shown.keys()])].flatMap((id) => {
    const user = users.get(id);
    return user ? mfaStatuses(user, shown.get(id) ?? [], submission, facts) : [];
  });
  const lacking = new Set(mfa.filter(({ isSatisfied }) => !isSatisfied).map(({ userId }) => userId));

  const claimed = countVotes(votes, organization, now, isGood);
  const isComplete = (userId: string, credential: Held) => !lacking.has(userId) && isGood(userId, credential);
  const approvals = lacking.size === 0 ? claimed : countVotes(votes, organization, now, isComplete);
  const last = votes.at(-1);
  const lastCredential = last && credentialOf(last, users, now);
  const isOutOfScope = lastCredential !== undefined && !isGood('', lastCredential);
  return { ...asked, approvals, authentication: { mfa, lacking, claimed, voterId: last?.userId ?? '', isOutOfScope } };
}

/** Whether the scope of a key holds for all that an activity does; a profile that is not there bounds everything. */
function isInScope({ kind, held }: Held, { sessionProfiles }: Organization, facts: () => readonly Facts[]): boolean {
  if (kind === 'passkey' || held.sessionProfileId === undefined) return true;
  const profile = sessionProfiles.get(held.sessionProfileId);
  return profile !== undefined && facts().length > 0 && facts().every((each) => holds(scopeOf(profile), each));
}
