/** What policies were asked about an activity when it was decided, as far as that can still be told. */
import { windowKey } from '../policy/windows.ts';
import { findSigner } from './activities/signers.ts';
import type { Recorded } from './activity-record.ts';
import { policySetOf, type Question } from './authorize.ts';
import { signs } from './policy-facts.ts';
import type { Organization } from './state.ts';
import type { Submission } from './submission.ts';
import { questionOf } from './vote.ts';
import { countPastVotes } from './votes.ts';

/** Facts that may have been others at the time: those of now stand in their place. */
export type FactOfNow =
  | 'policies'
  | 'approvers'
  | 'organization'
  | 'wallet'
  | 'wallet_account'
  | 'private_key'
  | 'interfaces'
  | 'smart_accounts'
  | 'history'
  | 'others';

export type PastQuestion = { readonly question: Question; readonly factsOfNow: readonly FactOfNow[] };

/** Body, votes and time are those of then. Throws as `readSubmission` does, and NOT_FOUND where what signed is gone. */
export function pastQuestion(record: Recorded, organization: Organization, epochStart: number): PastQuestion {
  const at = record.updatedAt;
  // Who had to show more authenticators had done so.
  const { authentication: _, ...question } = questionOf(record, organization, at, epochStart);
  const approvals = countPastVotes(record.votes, organization, at);
  const voters = record.votes.map(({ userId }) => userId);
  const { sums } = record.facts.decision;
  const isKnown = policySetOf(organization).windows.every((window) => sums?.[windowKey(window)] !== undefined);
  const changed = changedSince(at, question.submission, organization, voters);
  return {
    question: { ...question, approvals, ...(sums && { sums }) },
    factsOfNow: isKnown ? changed.filter((fact) => fact !== 'history') : changed,
  };
}

type Dated = { readonly updatedAt: number };

/**
 * What of the organization changed at `at` or after it, or is gone; what changed to and fro counts. Nothing is known of sums
 * over time, and of who else could have approved.
 */
export function changedSince(
  at: number,
  { activity, parameters }: Submission,
  organization: Organization,
  voters: readonly string[],
): readonly FactOfNow[] {
  const hasChanged = (entity: Dated | undefined) => entity !== undefined && entity.updatedAt >= at;
  const { users, settings, policies, interfaces, smartAccounts } = organization;
  const isSigned = signs(activity.name);
  const signer = isSigned ? signerOf(organization, (parameters as { signWith?: unknown }).signWith) : {};
  return [
    ...([...policies.values()].some(hasChanged) ? ['policies' as const] : []),
    ...(voters.some((id) => !users.has(id) || hasChanged(users.get(id))) ? ['approvers' as const] : []),
    ...(hasChanged(settings) ? ['organization' as const] : []),
    ...(['wallet', 'wallet_account', 'private_key'] as const).filter((name) => hasChanged(signer[name])),
    ...(isSigned && [...interfaces.values()].some(hasChanged) ? ['interfaces' as const] : []),
    ...(isSigned && [...smartAccounts.values()].some(hasChanged) ? ['smart_accounts' as const] : []),
    ...(policySetOf(organization).windows.length > 0 ? ['history' as const] : []),
    'others',
  ];
}

type SignerEntities = { readonly [Name in 'wallet' | 'wallet_account' | 'private_key']?: Dated | undefined };

function signerOf(organization: Organization, signWith: unknown): SignerEntities {
  if (typeof signWith !== 'string') return {};
  const { id } = findSigner(organization, signWith);
  const account = organization.accounts.get(id);
  return {
    wallet_account: account,
    wallet: account && organization.wallets.get(account.walletId),
    private_key: organization.privateKeys.get(id),
  };
}
