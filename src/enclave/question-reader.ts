/** What policies are asked about an activity, for queries: nothing here changes anything. */
import { hash } from 'node:crypto';
import { CountersignError } from '../protocol/errors.ts';
import type { QuestionReader } from './effect.ts';
import type { Opened } from './ledger/organizations.ts';
import { pendingRecord } from './pending-record.ts';
import type { Caller } from './resolve-caller.ts';
import type { Service } from './service.ts';
import { assertMember } from './submit.ts';
import { findDecided, isVote, questionOf, selections } from './vote.ts';
import { countVotes, voteOf } from './votes.ts';

export function questionReader(service: Service, opened: Opened, caller: Caller): QuestionReader {
  const { organization } = opened;
  const epochStart = service.ledger.epochStart();
  const findWaiting = (digest: string) =>
    [...organization.pending.values()].find(({ body }) => hash('sha256', body, 'hex') === digest);

  return {
    async record(id) {
      const waiting = organization.pending.get(id);
      return waiting ? pendingRecord(waiting, organization) : (await service.readActivities(opened, [id]))[0];
    },
    idOf: async (digest) => findWaiting(digest)?.id ?? findDecided(service, opened, organization.id, digest),
    ofRecord: (record, votes, now) =>
      questionOf({ ...record, votes: record.votes.slice(0, votes) }, organization, now, epochStart),
    ofCaller(submission) {
      assertMember(caller, opened);
      const now = service.now();
      if (isVote(submission)) {
        const { fingerprint } = submission.parameters as { fingerprint: string };
        const pending = findWaiting(fingerprint.slice('sha256:'.length));
        if (!pending) throw nothingWaits();
        const selection = selections[submission.activity.name] ?? 'VOTE_SELECTION_APPROVED';
        const votes = [...pending.votes, voteOf(caller, selection, now)];
        return questionOf({ ...pending, votes }, organization, now, epochStart);
      }
      return {
        submission,
        organization,
        approvals: countVotes([voteOf(caller, 'VOTE_SELECTION_APPROVED', now)], organization, now),
        initiatorId: caller.user.id,
        origin: caller.assertion?.origin ?? null,
        now,
        epochStart,
      };
    },
  };
}

const nothingWaits = (): CountersignError =>
  new CountersignError('NOT_FOUND', 'no activity with this fingerprint waits for votes');
