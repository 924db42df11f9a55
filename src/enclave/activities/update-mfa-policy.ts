import type { MfaPolicyUpdate, updateMfaPolicy } from '../../protocol/activities/update-mfa-policy.ts';
import type { Effect } from '../effect.ts';
import type { MfaPolicy } from '../state.ts';
import { checkMfaPolicy, findMfaPolicy, stepsOf, withMfaPolicies } from './mfa-policies.ts';
import { findUser } from './users.ts';

/** What is left out stays. */
export const updateMfaPolicyEffect: Effect<typeof updateMfaPolicy> = (context, update: MfaPolicyUpdate) => {
  const { organization, now } = context;
  const user = findUser(organization, update.userId);
  const policy = findMfaPolicy(user, update.mfaPolicyId, 'parameters.mfaPolicyId');
  const { requiredAuthenticationMethods: steps } = update;
  const changed: MfaPolicy = {
    ...policy,
    name: update.mfaPolicyName ?? policy.name,
    condition: update.condition ?? policy.condition,
    steps: steps ? stepsOf(steps) : policy.steps,
    order: update.order ?? policy.order,
    ...(update.notes === undefined ? {} : { notes: update.notes }),
    updatedAt: now,
  };
  checkMfaPolicy(organization, user, changed);
  const policies = (user.mfaPolicies ?? []).map((each) => (each === policy ? changed : each));
  return { result: { mfaPolicyId: policy.id }, organization: withMfaPolicies(organization, user, policies, now) };
};
