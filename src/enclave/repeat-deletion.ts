import { timingSafeEqual } from 'node:crypto';
import { deleteSubOrganization } from '../protocol/activities/delete-sub-organization.ts';
import { type Cbor, encode } from '../protocol/cbor.ts';
import { CountersignError } from '../protocol/errors.ts';
import type { RequestMessage } from '../protocol/messages.ts';
import type { ActivityObject } from '../protocol/queries/objects.ts';
import type { VoteStamp } from './activity-record.ts';
import { assertFresh } from './freshness.ts';
import { sha256 } from './ledger/hash.ts';
import { readStamp, type Stamp } from './resolve-caller.ts';
import type { Service } from './service.ts';
import { readSubmission } from './submission.ts';
import { activityView } from './views/activity.ts';
import { isVote } from './vote.ts';

const deletion = { types: Object.keys(deleteSubOrganization.versions), statuses: ['ACTIVITY_STATUS_COMPLETED'] };

/**
 * What `submit` answers when it failed with `error`: the same again, but to the body that deleted the organization, or was
 * a vote for that, the deletion. No credential is left there that a stamp could be verified with, so it must be the very
 * stamp that was verified then.
 */
export async function repeatDeletion(
  service: Service,
  request: RequestMessage,
  error: unknown,
): Promise<{ activity: ActivityObject }> {
  if (!(error instanceof CountersignError) || error.facts.reason !== 'ORGANIZATION_NOT_FOUND') throw error;
  const submission = readSubmission(request.name, request.body);
  const stamp = readStamp(request.stamp);
  const opened = await service.load(submission.organizationId);
  if (!opened?.organization.deleted) throw error;
  const [record] = await service.listActivities(opened, { ...deletion, limit: 1 });
  const isRepeated = record?.votes.some(
    (vote) => submission.body.equals(vote.body ?? record.body) && isSameStamp(vote.stamp, stamp),
  );
  if (!record || !isRepeated) throw error;
  assertFresh(submission.time, service.now(), service.ledger.epochStart());
  const given = isVote(submission) ? undefined : submission.given;
  return { activity: activityView(record, opened.organization, given) };
}

function isSameStamp(recorded: VoteStamp, { kind, stamp }: Stamp): boolean {
  if (recorded.kind !== kind) return false;
  const shown = kind === 'passkey' ? { kind, ...stamp, publicKey: recorded.publicKey } : { kind, ...stamp };
  return timingSafeEqual(digestOf(recorded), digestOf(shown as VoteStamp));
}

const digestOf = (stamp: VoteStamp): Buffer => sha256(encode(stamp as unknown as Cbor));
