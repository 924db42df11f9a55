/**
 * Carries out a stamped request: schema → stamp → who, and the right to submit → idempotency → policies → effect → the
 * transition joins the open batch (DESIGN §4, "One request", step 2). What needs more approvals waits among the
 * organization's pending activities, and a vote about it goes the same way.
 */
import { hash, randomUUID } from 'node:crypto';
import { type CountersignError, invalidArgument, toStatus, unavailable } from '../protocol/errors.ts';
import type { RequestMessage } from '../protocol/messages.ts';
import type { ActivityObject } from '../protocol/queries/objects.ts';
import { uuidText } from '../protocol/uuid.ts';
import type { ActivityRecord, Recorded } from './activity-record.ts';
import { questionWith } from './authentication.ts';
import { authorize } from './authorize.ts';
import { begun, carryOut, type Underway, useCredential } from './carry-out.ts';
import { denied } from './denial.ts';
import { explainQuestion } from './explain-question.ts';
import { assertFresh } from './freshness.ts';
import { guardDelay } from './guard-delay.ts';
import { hold } from './hold.ts';
import { findFingerprint, minuteOf } from './ledger/fingerprints.ts';
import type { Opened } from './ledger/organizations.ts';
import { pendingRecord } from './pending-record.ts';
import { type Caller, readStamp, resolveCaller } from './resolve-caller.ts';
import type { Service } from './service.ts';
import { keyedFingerprint, readSubmission, type Submission } from './submission.ts';
import { activityView } from './views/activity.ts';
import { castVote, isVote } from './vote.ts';
import { voteOf } from './votes.ts';

/** What was carried out or waits, or the id of the final activity that the same body was, or voted about, before. */
export type Done = { readonly record: Recorded } | { readonly id: string };

/** The answer's JSON value. Throws `CountersignError`s. */
export async function submit(service: Service, request: RequestMessage): Promise<{ activity: ActivityObject }> {
  const submission = readSubmission(request.name, request.body, request.completion);
  const stamp = readStamp(request.stamp);
  const { target, done } = await service.exclusively(submission.organizationId, async () => {
    const target = await service.loadExisting(submission.organizationId);
    const caller = await resolveCaller(service, target, stamp, submission.body);
    assertMember(caller, target);
    assertFresh(submission.time, service.now(), service.ledger.epochStart());
    await service.assertKnownHead(submission.knownHead);
    const done = isVote(submission)
      ? await castVote(service, submission, caller)
      : await begin(service, submission, caller, request.explain === true);
    return { target, done };
  });
  const record = 'record' in done ? done.record : await readFinal(service, target, done.id);
  const given = isVote(submission) ? undefined : submission.given;
  return { activity: activityView(record, target.organization, given) };
}

/** Only users of the organization itself act in it. */
export function assertMember(caller: Caller, target: Opened): void {
  if (caller.opened === target) return;
  const [wanted, found] = [target.organization.id, caller.opened.organization.id];
  throw invalidArgument(
    `organization mismatch: request is targeting organization ("${wanted}"), but voters are in organization ("${found}")`,
    { reason: 'ORGANIZATION_MISMATCH' },
  );
}

async function begin(service: Service, submission: Submission, caller: Caller, explained: boolean): Promise<Done> {
  const { opened: target, user, assertion } = caller;
  const { organization } = target;
  const { whole: fingerprint, ofBody } = fingerprintsOf(service, submission);
  const minute = minuteOf(submission.time);
  await service.ledger.organizations.fillFingerprints(target, minute);
  const bucket = target.fingerprints.get(minute);
  const repeated = findFingerprint(bucket, fingerprint) ?? findFingerprint(bucket, ofBody);
  if (repeated) return { id: uuidText(repeated) };
  const waiting = [...organization.pending.values()].find(({ body }) => submission.body.equals(body));
  if (waiting) return { record: pendingRecord(waiting, organization) };

  const now = service.now();
  const votes = [voteOf(caller, 'VOTE_SELECTION_APPROVED', now)];
  const origin = assertion?.origin ?? null;
  const epochStart = service.ledger.epochStart();
  const question = questionWith(votes, { submission, organization, initiatorId: user.id, origin, now, epochStart });
  const decision = authorize(question);
  const underway = { submission, fingerprint, votes, decision, now };
  const isAllowed = decision.outcome === 'OUTCOME_ALLOW';
  if (!isAllowed && !decision.pending) {
    const refusal = denied(decision, explained ? explainQuestion(question) : null);
    service.denials.note(deniedRecord(caller, underway, refusal));
    throw refusal;
  }
  const delay = guardDelay(submission, organization);
  if (isAllowed && delay === 0) return { record: await carryOut(service, caller, underway) };
  return { record: hold(service, caller, underway, delay) };
}

/** As `explain` tells of it; it is no activity that others see. */
function deniedRecord(caller: Caller, underway: Underway, refusal: CountersignError): Recorded {
  const { organization } = caller.opened;
  const { code, message } = toStatus(refusal).body;
  return {
    ...begun(underway, randomUUID()),
    organizationId: organization.id,
    status: 'ACTIVITY_STATUS_FAILED',
    result: null,
    signed: [],
    failure: { code, message },
    facts: useCredential(organization, caller, underway).facts,
  };
}

/**
 * By what a request is known to have been carried out: an intent once for each way to fill it in, for at most one of them
 * can be included on its chain. One that was rejected is so by its body alone, however it is filled in.
 */
function fingerprintsOf({ ledger }: Service, { organizationId, body, completion }: Submission) {
  const digest = hash('sha256', body, 'hex');
  const ofBody = keyedFingerprint(ledger, organizationId, digest);
  if (completion === undefined) return { whole: ofBody, ofBody };
  return { whole: keyedFingerprint(ledger, organizationId, hash('sha256', `${digest}/${completion}`, 'hex')), ofBody };
}

async function readFinal(service: Service, target: Opened, id: string): Promise<ActivityRecord> {
  const [record] = await service.readActivities(target, [id]);
  if (record) return record;
  throw unavailable(`activity ${id} is missing in the database`, 'ROW_INTEGRITY');
}
