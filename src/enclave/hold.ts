/** An activity that needs more approvals waits in a sealed page of its organization until votes make it final. */
import { CountersignError } from '../protocol/errors.ts';
import type { Recorded } from './activity-record.ts';
import { begun, type Underway, useCredential } from './carry-out.ts';
import { voteEntry } from './log-entries.ts';
import { pendingRecord } from './pending-record.ts';
import type { Caller } from './resolve-caller.ts';
import { type Service, uuidV7 } from './service.ts';
import { type PendingActivity, put } from './state.ts';

/** Activities that may wait in one organization, and bytes of their bodies and votes. */
const maxPending = 100;
const maxBytes = 1024 * 1024;

/** `delay`: ms that it has to wait besides. */
export function hold(service: Service, caller: Caller, underway: Underway, delay: number): Recorded {
  const { organization } = caller.opened;
  const { next, facts } = useCredential(organization, caller, underway);
  const pending: PendingActivity = {
    ...begun(underway, uuidV7(underway.now)),
    status: underway.decision.waitsAs,
    notBefore: delay > 0 ? underway.now + delay : null,
    fingerprint: underway.fingerprint,
    time: underway.submission.time,
    facts,
  };
  keepPending(service, caller, { ...next, pending: put(next.pending, pending) }, pending);
  return pendingRecord(pending, organization);
}

/** Appends a transition in which a pending activity got a vote. Throws RESOURCE_EXHAUSTED when too much would wait. */
export function keepPending(
  service: Service,
  { opened }: Caller,
  next: Caller['opened']['organization'],
  pending: PendingActivity,
): void {
  const bytes = [...next.pending.values()].reduce((sum, each) => sum + sizeOf(each), 0);
  if (next.pending.size > maxPending || bytes > maxBytes) {
    const message = `too many activities wait for approval: expected at most ${maxPending} and ${maxBytes} bytes; approve or reject some first`;
    throw new CountersignError('RESOURCE_EXHAUSTED', message, { reason: 'QUOTA_EXCEEDED' });
  }
  const vote = pending.votes.at(-1);
  const entry = voteEntry(pending.id, vote?.id ?? '', vote?.selection ?? '');
  service.ledger.append([{ from: opened, to: next }], [entry], true);
}

const sizeOf = ({ body, votes }: PendingActivity): number =>
  votes.reduce((sum, vote) => sum + 2048 + (vote.body?.length ?? 0), body.length);
