/** Approving and rejecting an activity that waits for consensus. The answer is the activity that was voted about. */
import { hash } from 'node:crypto';
import { CountersignError, toStatus } from '../protocol/errors.ts';
import { findActivity } from '../protocol/registry.ts';
import { uuidText } from '../protocol/uuid.ts';
import { originOf, type Recorded, type VoteRecord } from './activity-record.ts';
import { questionWith } from './authentication.ts';
import { authorize, countForWindows, type Question, type Verdict } from './authorize.ts';
import { commit, runEffect, useCredential } from './carry-out.ts';
import { denied } from './denial.ts';
import { loosensAt } from './guard-delay.ts';
import { keepPending } from './hold.ts';
import { bodyLifetime, findFingerprint, minuteOf } from './ledger/fingerprints.ts';
import type { Opened } from './ledger/organizations.ts';
import { pendingRecord } from './pending-record.ts';
import type { Caller } from './resolve-caller.ts';
import type { Service } from './service.ts';
import { signedDigests } from './signed-digests.ts';
import { type Organization, type PendingActivity, put, without } from './state.ts';
import { keyedFingerprint, readSubmission, type Submission } from './submission.ts';
import type { Done } from './submit.ts';
import { voteOf } from './votes.ts';

export const selections: Readonly<Record<string, VoteRecord['selection']>> = {
  approve_activity: 'VOTE_SELECTION_APPROVED',
  reject_activity: 'VOTE_SELECTION_REJECTED',
};

export const isVote = ({ activity }: Submission): boolean => Object.hasOwn(selections, activity.name);

/** Adds the caller's vote, and carries the activity out, or rejects it for good, when that decides it. */
export async function castVote(service: Service, submission: Submission, caller: Caller): Promise<Done> {
  const { opened: target, user } = caller;
  const { organization } = target;
  const { fingerprint } = submission.parameters as { fingerprint: string };
  const digest = fingerprint.slice('sha256:'.length);
  const pending = [...organization.pending.values()].find(({ body }) => hash('sha256', body, 'hex') === digest);
  if (!pending) return { id: await findDecided(service, target, organization.id, digest) };
  // Votes are never taken out: a body that was shown before is no vote again, whatever was voted since.
  if (pending.votes.some(({ body }) => body && submission.body.equals(body)))
    return { record: pendingRecord(pending, organization) };

  const now = service.now();
  const selection = selections[submission.activity.name] as VoteRecord['selection'];
  const loosens = loosensAt(submissionOf(pending), organization, pending.createdAt);
  const voted: PendingActivity = {
    ...pending,
    notBefore: loosens === null ? pending.notBefore : Math.max(loosens, pending.notBefore ?? 0),
    votes: [...pending.votes, voteOf(caller, selection, now, submission.body)],
    updatedAt: now,
  };
  let question: Question;
  let decision: Verdict;
  try {
    question = questionOf(voted, organization, now, service.ledger.epochStart());
    decision = authorize(question);
  } catch (error) {
    if (!isGone(error)) throw error;
    return { record: await fail({ service, submission, caller, voted, decision: undecidable }, error) };
  }
  const approves = selection === 'VOTE_SELECTION_APPROVED';
  assertMayVote(question, decision, approves);
  const isDue = voted.notBefore === null || now >= voted.notBefore;
  const cast = { service, submission, caller, voted, decision };
  if (approves && isDue && decision.outcome === 'OUTCOME_ALLOW') return { record: await complete(cast) };
  // Who started an activity may call it off; the loosening of a guard anybody.
  const calledOff = !approves && (voted.notBefore !== null || voted.votes[0]?.userId === user.id);
  if (calledOff || (decision.outcome !== 'OUTCOME_ALLOW' && !decision.pending)) {
    const final = { status: 'ACTIVITY_STATUS_REJECTED', result: null, signed: [] } as const;
    return { record: await finish(cast, { organization }, final) };
  }
  const { next } = useCredential(organization, caller, { decision });
  const kept = { ...voted, status: decision.waitsAs };
  keepPending(service, caller, { ...next, pending: put(next.pending, kept) }, kept);
  return { record: pendingRecord(kept, organization) };
}

/** What an activity is about, such as the key that signs, may have been deleted while it waited. */
const isGone = (error: unknown): boolean =>
  error instanceof CountersignError && (error.code === 'NOT_FOUND' || error.code === 'INVALID_ARGUMENT');

const undecidable: Verdict = {
  outcome: 'OUTCOME_DENY_IMPLICIT',
  pending: false,
  decidedBy: null,
  reason: 'what it is about has gone',
  waitsAs: 'ACTIVITY_STATUS_CONSENSUS_NEEDED',
};

/**
 * Refuses a vote by a key that is not good for what is voted about, and an approval of what nobody can carry out before who
 * started it has shown all its authenticators.
 */
function assertMayVote({ authentication, initiatorId }: Question, decision: Verdict, approves: boolean): void {
  if (!authentication) return;
  const { isOutOfScope, lacking, voterId } = authentication;
  if (isOutOfScope) throw denied(decision);
  if (!approves || voterId === initiatorId || !lacking.has(initiatorId)) return;
  throw new CountersignError(
    'FAILED_PRECONDITION',
    'the activity waits for authenticators of the user who started it; others can approve it then',
    { reason: 'AUTHENTICATORS_NEEDED' },
  );
}

/** What the policies decide on: type and body of an activity, and the votes about it; the first is that of the submission. */
type VotedOn = Pick<PendingActivity, 'type' | 'body' | 'completion' | 'votes'>;

/** The question that an activity's own body asks, with the votes that there are now. */
export function questionOf(pending: VotedOn, organization: Organization, now: number, epochStart: number): Question {
  const [first] = pending.votes as [VoteRecord, ...VoteRecord[]];
  return questionWith(pending.votes, {
    submission: submissionOf(pending),
    organization,
    initiatorId: first.userId,
    origin: originOf(pending.votes),
    now,
    epochStart,
  });
}

const submissionOf = ({ type, body, completion }: VotedOn): Submission =>
  readSubmission(findActivity(type)?.activity.name ?? '', body, completion);

/** The id of the final activity with this digest, as far as bodies are remembered. */
export async function findDecided(
  service: Service,
  target: Opened,
  organizationId: string,
  digest: string,
): Promise<string> {
  const { ledger } = service;
  const fingerprint = keyedFingerprint(ledger, organizationId, digest);
  for (const minute of target.fingerprints.keys()) {
    await ledger.organizations.fillFingerprints(target, minute);
    const id = findFingerprint(target.fingerprints.get(minute), fingerprint);
    if (id) return uuidText(id);
  }
  throw new CountersignError(
    'NOT_FOUND',
    'No activity found with fingerprint. Consensus activities must target an existing activity by fingerprint',
  );
}

/** A vote that decides: about which activity, and how. */
type Cast = {
  readonly service: Service;
  readonly submission: Submission;
  readonly caller: Caller;
  readonly voted: PendingActivity;
  readonly decision: Verdict;
};

/** Carries out what has been approved. What cannot be carried out any more has failed, and says why. */
async function complete(cast: Cast): Promise<Recorded> {
  const { service, caller, voted } = cast;
  const { organization } = caller.opened;
  try {
    const question = questionOf(voted, organization, voted.updatedAt, service.ledger.epochStart());
    const { result, ...outcome } = await runEffect(service, caller, question.submission, voted.updatedAt);
    const changed = { ...outcome, organization: countForWindows(outcome.organization ?? organization, question) };
    const { activity, parameters } = question.submission;
    const signed = signedDigests(activity.name, parameters, result);
    return await finish(cast, changed, { status: 'ACTIVITY_STATUS_COMPLETED', result: JSON.stringify(result), signed });
  } catch (error) {
    return await fail(cast, error);
  }
}

function fail(cast: Cast, error: unknown): Promise<Recorded> {
  if (!(error instanceof CountersignError) || error.code === 'UNAVAILABLE') throw error;
  const { organization } = cast.caller.opened;
  const { code, message } = toStatus(error).body;
  return finish(
    cast,
    { organization },
    {
      status: 'ACTIVITY_STATUS_FAILED',
      result: null,
      failure: { code, message },
      signed: [],
    },
  );
}

/** The record of what is decided takes the place of the pending activity. */
async function finish(
  { service, submission, caller, voted, decision }: Cast,
  changed: Parameters<typeof commit>[2],
  final: Pick<Recorded, 'status' | 'result' | 'failure' | 'signed'>,
): Promise<Recorded> {
  const { opened: target } = caller;
  const { id, type, body, intentKey, resultKey, votes, createdAt, updatedAt } = voted;
  // Of a body that is too old to be sent again the fingerprint serves those who vote again, and goes with the vote's.
  const isFresh = voted.time > service.now() - bodyLifetime;
  const time = isFresh ? voted.time : submission.time;
  await service.ledger.organizations.fillFingerprints(target, minuteOf(time));
  const { next, facts } = useCredential(changed.organization, caller, { decision });
  const record: Recorded = {
    ...{ id, organizationId: target.organization.id, type, body, intentKey, resultKey, votes, createdAt, updatedAt },
    ...(voted.completion && { completion: voted.completion }),
    facts: { ...voted.facts, decision: facts.decision },
    ...final,
  };
  const organization = { ...next, pending: without(next.pending, [id]) };
  // What was rejected is not to come back filled in otherwise.
  const isRejected = final.status === 'ACTIVITY_STATUS_REJECTED' && voted.completion !== undefined;
  const fingerprint = isRejected
    ? keyedFingerprint(service.ledger, target.organization.id, hash('sha256', body, 'hex'))
    : Buffer.from(voted.fingerprint);
  commit(service, caller, { ...changed, organization }, record, { time, fingerprint });
  return record;
}
