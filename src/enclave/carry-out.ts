/** Carries out an activity that was allowed: its effect, its record, and the transition that joins the open batch. */
import { randomBytes, randomUUID } from 'node:crypto';
import type { Activity } from '../protocol/activities/activity.ts';
import { CountersignError } from '../protocol/errors.ts';
import { type AnyEffect, findEffect } from './activities/index.ts';
import { type ActivityFacts, originOf, type Recorded, type VoteRecord } from './activity-record.ts';
import { countForWindows, type Verdict } from './authorize.ts';
import type { Transition } from './ledger/transition.ts';
import { policiesDigest } from './policies-digest.ts';
import type { Caller } from './resolve-caller.ts';
import { type Service, uuidV7 } from './service.ts';
import { signedDigests } from './signed-digests.ts';
import type { Counters, Organization } from './state.ts';
import type { Submission } from './submission.ts';

/** An activity on its way: what was asked, who agreed, and what was decided. */
export type Underway = {
  readonly submission: Submission;
  /** Keyed digest of its body. */
  readonly fingerprint: Buffer;
  readonly votes: readonly VoteRecord[];
  readonly decision: Verdict;
  readonly now: number;
};

export async function carryOut(service: Service, caller: Caller, underway: Underway): Promise<Recorded> {
  const { submission, fingerprint, now } = underway;
  const { organization } = caller.opened;
  const outcome = await runEffect(service, caller, submission, now);
  const { next: used, facts } = useCredential(outcome.organization ?? organization, caller, underway);
  const next = countForWindows(used, { submission, organization, origin: originOf(underway.votes), now });
  const record: Recorded = {
    ...begun(underway, uuidV7(now)),
    organizationId: organization.id,
    status: 'ACTIVITY_STATUS_COMPLETED',
    result: JSON.stringify(outcome.result),
    signed: signedDigests(submission.activity.name, submission.parameters, outcome.result),
    facts,
  };
  const body = { time: submission.time, fingerprint };
  commit(service, caller, { ...outcome, organization: next }, record, body);
  return record;
}

type Outcome = Awaited<ReturnType<AnyEffect>>;

/** Runs the effect of an activity on the newest state of the caller's organization. */
export async function runEffect(
  service: Service,
  { opened }: Caller,
  { activity, parameters }: Submission,
  now: number,
): Promise<Outcome> {
  const { organization } = opened;
  const context = {
    organization,
    now,
    newId: randomUUID,
    random: randomBytes,
    withKey: service.withKey(opened),
    passkeys: service.passkeyRules(organization),
    identities: { find: service.findIdentity },
    parentProfiles: service.parentProfiles(organization),
  };
  return effectOf(activity)(context, parameters);
}

function effectOf({ name }: Activity): AnyEffect {
  const effect = findEffect(name);
  if (effect) return effect;
  throw new CountersignError('UNIMPLEMENTED', `activity \`${name}\` has no effect`);
}

/** What a record has from the start. */
export const begun = ({ submission, votes, now }: Underway, id: string) => ({
  id,
  type: submission.type,
  body: submission.body,
  ...(submission.completion && { completion: submission.completion }),
  intentKey: submission.version.intent,
  resultKey: submission.version.result,
  votes,
  createdAt: now,
  updatedAt: now,
});

/** The organization with the use of the caller's credential counted, and what a record says about use and decision. */
export function useCredential(
  organization: Organization,
  caller: Caller,
  { decision }: Pick<Underway, 'decision'>,
): { next: Organization; facts: ActivityFacts } {
  const { counters, regressed } = countUse(organization.counters, caller);
  const { outcome, decidedBy, pending, waitsAs, sums } = decision;
  const needs = waitsAs === 'ACTIVITY_STATUS_AUTHENTICATORS_NEEDED' ? 'AUTHENTICATORS' : 'CONSENSUS';
  return {
    next: counters === organization.counters ? organization : { ...organization, counters },
    facts: {
      signCountRegressed: regressed,
      userVerified: caller.assertion?.userVerified ?? null,
      decision: {
        outcome: pending ? `OUTCOME_REQUIRES_${needs}` : outcome,
        decidedBy: typeof decidedBy === 'object' ? (decidedBy?.policyId ?? null) : decidedBy,
        policies: policiesDigest(caller.opened.organization.policies),
        ...(sums && { sums }),
      },
    },
  };
}

/** WebAuthn L3 §7.2 step 22: a count that does not rise is noted, not refused, for requests may overtake one another. */
function countUse(counters: Counters, caller: Caller): { counters: Counters; regressed: boolean } {
  if (caller.credential.kind !== 'passkey' || !caller.assertion) return { counters, regressed: false };
  const { id } = caller.credential.authenticator;
  const stored = counters.signCounts[id] ?? 0;
  const seen = caller.assertion.signCount;
  const regressed = (seen > 0 || stored > 0) && seen <= stored;
  if (seen <= stored) return { counters, regressed };
  return { counters: { ...counters, signCounts: { ...counters.signCounts, [id]: seen } }, regressed };
}

/** Hands the transition of a final activity to the ledger. */
export function commit(
  service: Service,
  { opened }: Caller,
  outcome: Omit<Outcome, 'result'> & { readonly organization: Organization },
  record: Recorded,
  body: Transition['body'],
): void {
  const transitions: Transition[] = [
    {
      from: opened,
      to: outcome.organization,
      keys: outcome.keys ?? [],
      removedKeys: outcome.removedKeys ?? [],
      activity: record,
      ...(body && { body }),
    },
    ...(outcome.created ?? []).map((created) => ({ from: null, to: created })),
  ];
  try {
    service.ledger.append(transitions, [], true);
  } finally {
    for (const { secret } of outcome.keys ?? []) secret.fill(0);
  }
}
