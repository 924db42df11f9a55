/** A draft over what an organization did: its activities are listed from the newest back, and replayed from the oldest on. */
import type { Change, Side } from '../../policy/replay.ts';
import { ask, type Caller } from '../client.ts';

export type ReplayedActivity = {
  readonly activityId: string;
  readonly type: string;
  readonly status: string;
  readonly decidedAt: Timestamp;
  readonly decision: { readonly outcome: string; readonly decidedBy: string | null };
  readonly change: Change | 'unknown';
  readonly before?: Side;
  readonly after?: Side;
  readonly factsOfNow: readonly string[];
  readonly problem?: string;
};

/** As `replay_policies` takes it. */
export type DraftPolicy = {
  readonly policyId?: string;
  readonly policyName: string;
  readonly effect: string;
  readonly condition?: string;
  readonly consensus?: string;
  readonly time?: string;
  readonly language?: string;
};

type Timestamp = { readonly seconds: string };
type Listed = { readonly id: string; readonly status: string; readonly updatedAt: Timestamp };
type Answer = {
  readonly activities: readonly ReplayedActivity[];
  readonly remaining: readonly string[];
  readonly past: object;
};

export type Span = {
  /** How many activities the answer is about. */
  readonly last: number;
  /** Ms that what was done before one of them matters to it. */
  readonly longestWindow: number;
};

/** Activities of one query, the most that the service takes. */
const page = 100;
/** Activities that are looked at at all. */
export const mostActivities = 100_000;

export const unixMs = ({ seconds }: Timestamp): number => Number(seconds) * 1000;

/** The newest last. `onProgress` hears how far it has got. */
export async function replayHistory(
  caller: Caller,
  policies: readonly DraftPolicy[],
  span: Span,
  onProgress: (text: string) => void,
): Promise<readonly ReplayedActivity[]> {
  const { ids, wanted, isWhole } = await findActivities(caller, span, onProgress);
  let past: object | undefined = isWhole ? { since: 0, windows: {}, last: {}, destinations: [] } : undefined;
  const replayed: ReplayedActivity[] = [];
  let done = 0;
  for (let waiting: readonly string[] = ids; waiting.length > 0; ) {
    const asked = { policies, activityIds: waiting.slice(0, page), ...(past && { past }) };
    const answer: Answer = await ask(caller, 'replay_policies', asked);
    replayed.push(...answer.activities.filter(({ activityId }) => wanted.has(activityId)));
    past = answer.past;
    done += answer.activities.length;
    waiting = [...answer.remaining, ...waiting.slice(page)];
    onProgress(`replayed ${done} of ${ids.length} activities`);
  }
  return replayed;
}

type Found = {
  /** Oldest first. */
  readonly ids: readonly string[];
  /** Those which the answer is about; the others were before them. */
  readonly wanted: ReadonlySet<string>;
  /** Nothing was done before the first. */
  readonly isWhole: boolean;
};

async function findActivities(
  caller: Caller,
  { last, longestWindow }: Span,
  onProgress: (text: string) => void,
): Promise<Found> {
  const found: Listed[] = [];
  let isWhole = false;
  const reachesBack = () => {
    const [first, oldest] = [found[last - 1], found.at(-1)];
    return first && oldest && unixMs(oldest.updatedAt) + 1000 < unixMs(first.updatedAt) - longestWindow;
  };
  const isEnough = () => found.length >= last && (longestWindow === 0 || reachesBack());
  while (!isEnough() && found.length < mostActivities && !isWhole) {
    const after = found.at(-1)?.id;
    const { activities } = await ask<{ activities: readonly Listed[] }>(caller, 'list_activities', {
      paginationOptions: { limit: String(page), ...(after !== undefined && { after }) },
    });
    found.push(...activities);
    isWhole = activities.length < page;
    onProgress(`found ${found.length} activities`);
  }
  const wanted = new Set(found.slice(0, last).map(({ id }) => id));
  const isUsed = ({ id, status }: Listed) =>
    wanted.has(id) || (longestWindow > 0 && status === 'ACTIVITY_STATUS_COMPLETED');
  // What still waits is decided now, after everything else. Times are told in seconds, and their order is that of the list.
  const decidedAt = ({ status, updatedAt }: Listed) =>
    finalStatuses.includes(status) ? Number(updatedAt.seconds) : Number.MAX_SAFE_INTEGER;
  const sorted = found
    .filter(isUsed)
    .reverse()
    .sort((a, b) => decidedAt(a) - decidedAt(b));
  return { ids: sorted.map(({ id }) => id), wanted, isWhole };
}

const finalStatuses: readonly string[] = [
  'ACTIVITY_STATUS_COMPLETED',
  'ACTIVITY_STATUS_FAILED',
  'ACTIVITY_STATUS_REJECTED',
];
