/** What policies are asked about an activity, for queries: nothing here changes anything. */
import { hash } from 'node:crypto';
import { CountersignError } from '../protocol/errors.ts';
import type { StampHeader } from '../protocol/messages.ts';
import { findActivity } from '../protocol/registry.ts';
import { invalidField, within } from './activities/refusals.ts';
import type { QuestionReader, SentRequest } from './answer.ts';
import { questionWith } from './authentication.ts';
import type { Question } from './authorize.ts';
import type { Opened } from './ledger/organizations.ts';
import { changedSince, pastQuestion } from './past-question.ts';
import { pendingRecord } from './pending-record.ts';
import { type Caller, readStamp, resolveCaller } from './resolve-caller.ts';
import type { Service } from './service.ts';
import { readEnvelope, readSubmission, type Submission } from './submission.ts';
import { assertMember } from './submit.ts';
import { findDecided, isVote, questionOf, selections } from './vote.ts';
import { voteOf } from './votes.ts';

export function questionReader(service: Service, opened: Opened, caller: Caller): QuestionReader {
  const { organization } = opened;
  const epochStart = service.ledger.epochStart();
  const findWaiting = (digest: string) =>
    [...organization.pending.values()].find(({ body }) => hash('sha256', body, 'hex') === digest);
  const findId = async (digest: string) =>
    findWaiting(digest)?.id ?? findDecided(service, opened, organization.id, digest);

  async function records(ids: readonly string[]) {
    const waiting = ids.flatMap((id) => organization.pending.get(id) ?? []);
    const isFinal = (id: string) => !organization.pending.has(id);
    const final = ids.some(isFinal) ? await service.readActivities(opened, ids.filter(isFinal)) : [];
    const found = new Map(
      [...final, ...waiting.map((each) => pendingRecord(each, organization))].map((record) => [record.id, record]),
    );
    return ids.flatMap((id) => found.get(id) ?? []);
  }

  /** As if `asker` submitted it at `now`. */
  function ask(submission: Submission, asker: Caller, now: number): Question {
    assertMember(asker, opened);
    if (isVote(submission)) {
      const { fingerprint } = submission.parameters as { fingerprint: string };
      const pending = findWaiting(fingerprint.slice('sha256:'.length));
      if (!pending) throw nothingWaits();
      const selection = selections[submission.activity.name] ?? 'VOTE_SELECTION_APPROVED';
      const votes = [...pending.votes, voteOf(asker, selection, now)];
      return questionOf({ ...pending, votes }, organization, now, epochStart);
    }
    return questionWith([voteOf(asker, 'VOTE_SELECTION_APPROVED', now)], {
      submission,
      organization,
      initiatorId: asker.user.id,
      origin: asker.assertion?.origin ?? null,
      now,
      epochStart,
    });
  }

  return {
    records,
    record: async (id) => (await records([id]))[0] ?? (await service.denials.get(organization.id, id)),
    idOf: (digest) =>
      findId(digest).catch(
        unlessUnknown(async () => (await service.denials.find(organization.id, digest))?.id ?? unknownFingerprint()),
      ),
    ofRecord: (record, votes, now) =>
      questionOf({ ...record, votes: record.votes.slice(0, votes) }, organization, now, epochStart),
    ofPast: (record) =>
      organization.pending.has(record.id)
        ? { question: questionOf(record, organization, service.now(), epochStart), factsOfNow: [] }
        : pastQuestion(record, organization, epochStart),
    async ofRequest(request) {
      const { submission, asker } = await readRequest(service, opened, request);
      const at = Math.min(submission.time, service.now());
      return {
        question: ask(submission, asker, at),
        factsOfNow: changedSince(at, submission, organization, [asker.user.id]),
        activityId: await findId(hash('sha256', submission.body, 'hex')).catch(unlessUnknown(() => undefined)),
      };
    },
    ofCaller: (submission) => ask(submission, caller, service.now()),
  };
}

/** What was sent to this organization, and by whom. Throws INVALID_ARGUMENT with the field that is wrong. */
async function readRequest(
  service: Service,
  opened: Opened,
  { body, stamp }: SentRequest,
): Promise<{ submission: Submission; asker: Caller }> {
  const bytes = Buffer.from(body);
  const submission = within('request.body', () => {
    const { type } = readEnvelope(bytes);
    const found = typeof type === 'string' ? findActivity(type) : undefined;
    if (!found) throw invalidField('type', 'expected the type of an activity');
    return readSubmission(found.activity.name, bytes);
  });
  if (submission.organizationId !== opened.organization.id) {
    throw invalidField('request.body', 'expected a request to the organization that is asked');
  }
  try {
    const header = stamp.header.toLowerCase() as StampHeader;
    const asker = await resolveCaller(service, opened, readStamp({ header, value: stamp.value }), submission.body);
    assertMember(asker, opened);
    return { submission, asker };
  } catch (error) {
    if (!(error instanceof CountersignError) || error.code === 'UNAVAILABLE') throw error;
    throw invalidField('request.stamp', `the stamp of the request is not good: ${error.message}`);
  }
}

const unlessUnknown =
  <T>(otherwise: () => T) =>
  (error: unknown): T => {
    if (error instanceof CountersignError && error.code === 'NOT_FOUND') return otherwise();
    throw error;
  };

function unknownFingerprint(): never {
  const message =
    'no activity or recent denial with this fingerprint is remembered; ask explain_request about the request itself';
  throw new CountersignError('NOT_FOUND', message, { fields: [{ field: 'fingerprint', description: message }] });
}

const nothingWaits = (): CountersignError =>
  new CountersignError('NOT_FOUND', 'no activity with this fingerprint waits for votes');
