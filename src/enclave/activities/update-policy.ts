import type { PolicyUpdate, updatePolicy } from '../../protocol/activities/update-policy.ts';
import type { Effect } from '../effect.ts';
import { type Policy, put } from '../state.ts';
import { checkExpressions, checkPolicyName, checkTotals } from './policies.ts';
import { find } from './refusals.ts';

const updateFields = { condition: 'policyCondition', consensus: 'policyConsensus', time: 'time' } as const;

/** What is left out stays; an empty `time` takes the time expression away. */
export const updatePolicyEffect: Effect<typeof updatePolicy> = ({ organization, now }, update: PolicyUpdate) => {
  const { policies } = organization;
  const {
    time: oldTime,
    delaySeconds: oldDelay,
    ...policy
  } = find(policies, update.policyId, 'policy', 'parameters.policyId');
  const name = update.policyName ?? policy.name;
  checkPolicyName(policies, name, 'parameters.policyName', policy.id);
  const time = update.time ?? oldTime;
  const effect = update.policyEffect ?? policy.effect;
  const delay = update.delaySeconds ?? oldDelay;
  const changed: Policy = {
    ...policy,
    name,
    effect,
    condition: update.policyCondition ?? policy.condition,
    consensus: update.policyConsensus ?? policy.consensus,
    ...(time ? { time } : {}),
    ...(update.language ? { language: update.language } : {}),
    ...(effect === 'EFFECT_GUARD' && delay !== undefined ? { delaySeconds: delay } : {}),
    notes: update.policyNotes ?? policy.notes,
    updatedAt: now,
  };
  checkExpressions(changed, (clause) => `parameters.${updateFields[clause]}`);
  const next = put(policies, changed);
  checkTotals(next, `parameters.${updateFields.condition}`);
  return { result: { policyId: policy.id }, organization: { ...organization, policies: next } };
};
