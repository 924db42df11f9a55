/**
 * How long an activity that loosens guards waits: the longest delay of those it changes or removes. What is added binds at
 * once; whether a change loosens or tightens is not guessed, so every change of a guard waits, but one of its name or notes.
 */
import type { PolicyUpdate } from '../protocol/activities/update-policy.ts';
import type { Organization, Policy } from './state.ts';
import type { Submission } from './submission.ts';

/** In ms; 0 where nothing waits. */
export function guardDelay({ activity, parameters }: Submission, { policies }: Organization): number {
  const delays = touched(activity.name, parameters).map((id) => {
    const policy = policies.get(id);
    return policy ? delayOf(policy) : 0;
  });
  return Math.max(0, ...delays);
}

/**
 * Until when an activity waits that was asked for at `since`; null where it does not. Of a guard that came, or changed, in the
 * meantime the delay counts from then.
 */
export function loosensAt(
  { activity, parameters }: Submission,
  { policies }: Organization,
  since: number,
): number | null {
  const times = touched(activity.name, parameters).flatMap((id) => {
    const policy = policies.get(id);
    const delay = policy ? delayOf(policy) : 0;
    return policy && delay > 0 ? [Math.max(since, policy.updatedAt) + delay] : [];
  });
  return times.length === 0 ? null : Math.max(...times);
}

const delayOf = ({ effect, delaySeconds = 0 }: Policy): number => (effect === 'EFFECT_GUARD' ? delaySeconds * 1000 : 0);

const harmless: ReadonlySet<string> = new Set(['policyId', 'policyName', 'policyNotes']);

/** Ids of the policies that an activity would make say something else, or nothing. */
function touched(name: string, parameters: unknown): readonly string[] {
  switch (name) {
    case 'update_policy': {
      const update = parameters as PolicyUpdate;
      return Object.keys(update).some((field) => !harmless.has(field)) ? [update.policyId] : [];
    }
    case 'delete_policy':
      return [(parameters as { policyId: string }).policyId];
    case 'delete_policies':
      return (parameters as { policyIds: string[] }).policyIds;
    default:
      return [];
  }
}
