import type { createPolicy } from '../../protocol/activities/create-policy.ts';
import type { PolicyParameters } from '../../protocol/activities/policy-fields.ts';
import type { Effect } from '../effect.ts';
import { addPolicies } from './policies.ts';

export const createPolicyEffect: Effect<typeof createPolicy> = (context, parameters: PolicyParameters) => {
  const { policies, added } = addPolicies(context, [parameters], () => 'parameters');
  const [policy] = added as [(typeof added)[number]];
  return { result: { policyId: policy.id }, organization: { ...context.organization, policies } };
};
