import type { createPolicies } from '../../protocol/activities/create-policies.ts';
import type { Effect } from '../effect.ts';
import { addPolicies } from './policies.ts';

export const createPoliciesEffect: Effect<typeof createPolicies> = (context, parameters) => {
  const { policies, added } = addPolicies(context, parameters.policies, (index) => `parameters.policies.${index}`);
  return {
    result: { policyIds: added.map((policy) => policy.id) },
    organization: { ...context.organization, policies },
  };
};
