import type { createMfaPolicy, MfaPolicyCreation } from '../../protocol/activities/create-mfa-policy.ts';
import type { Effect } from '../effect.ts';
import type { MfaPolicy } from '../state.ts';
import { checkMfaPolicy, stepsOf, withMfaPolicies } from './mfa-policies.ts';
import { findUser } from './users.ts';

export const createMfaPolicyEffect: Effect<typeof createMfaPolicy> = (context, given: MfaPolicyCreation) => {
  const { organization, now, newId } = context;
  const user = findUser(organization, given.userId);
  const policy: MfaPolicy = {
    id: newId(),
    name: given.mfaPolicyName,
    condition: given.condition,
    steps: stepsOf(given.requiredAuthenticationMethods),
    order: given.order,
    ...(given.notes === undefined ? {} : { notes: given.notes }),
    createdAt: now,
    updatedAt: now,
  };
  checkMfaPolicy(organization, user, policy);
  const policies = [...(user.mfaPolicies ?? []), policy];
  return { result: { mfaPolicyId: policy.id }, organization: withMfaPolicies(organization, user, policies, now) };
};
