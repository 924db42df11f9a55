import type { PolicyUpdate, updatePolicy } from '../../protocol/activities/update-policy.ts';
import type { Effect } from '../effect.ts';
import { put } from '../state.ts';
import { checkPolicyName } from './policies.ts';
import { find } from './refusals.ts';

/** What is left out stays; an empty `time` takes the time expression away. */
export const updatePolicyEffect: Effect<typeof updatePolicy> = ({ organization, now }, update: PolicyUpdate) => {
  const { policies } = organization;
  const { time: oldTime, ...policy } = find(policies, update.policyId, 'policy', 'parameters.policyId');
  const name = update.policyName ?? policy.name;
  checkPolicyName(policies, name, 'parameters.policyName', policy.id);
  const time = update.time ?? oldTime;
  const changed = {
    ...policy,
    name,
    effect: update.policyEffect ?? policy.effect,
    condition: update.policyCondition ?? policy.condition,
    consensus: update.policyConsensus ?? policy.consensus,
    ...(time ? { time } : {}),
    notes: update.policyNotes ?? policy.notes,
    updatedAt: now,
  };
  return { result: { policyId: policy.id }, organization: { ...organization, policies: put(policies, changed) } };
};
