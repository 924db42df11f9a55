import type { ActivityObject } from '../../src/protocol/queries/objects.ts';
import { CountersignClientError } from './error.ts';
import type { Method } from './methods.ts';

/** The header that asks for the reasons of a denial. */
export const explain = (isAsked = false): Readonly<Record<string, string>> =>
  isAsked ? { 'X-Countersign-Explain': '1' } : {};

/** A place in the service's log that a receipt named: a log that does not hold it any more was rolled back or forked. */
export type KnownHead = { readonly size: number; readonly index: number; readonly leaf: string };

export type AnswerVerifier = {
  /** What this organization was shown last; it goes into the next body, and the enclave refuses that if its log has lost it. */
  knownHead(organizationId: string): Promise<KnownHead | undefined>;
  /** Rejects where an activity's answer is not what the service's enclave says about the request with this body. */
  check(answer: unknown, body: string): Promise<void>;
};

/** A query's answer as it is; of an activity the result, whatever its key is called, beside the activity. */
export function resultOf({ path }: Method, answer: unknown): unknown {
  if (path.startsWith('query/')) return answer;
  const { activity } = answer as { activity: ActivityObject };
  if (activity.status === 'ACTIVITY_STATUS_COMPLETED')
    return { activity, ...Object.assign({}, ...Object.values(activity.result)) };
  throw new CountersignClientError(`the activity ${activity.id} is not completed`, {
    code: activity.status,
    details: [activity],
    status: 200,
  });
}
