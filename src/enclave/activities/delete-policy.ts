import type { deletePolicy } from '../../protocol/activities/delete-policy.ts';
import type { Effect } from '../effect.ts';
import { without } from '../state.ts';
import { find } from './refusals.ts';

export const deletePolicyEffect: Effect<typeof deletePolicy> = ({ organization }, { policyId }) => {
  find(organization.policies, policyId, 'policy', 'parameters.policyId');
  return {
    result: { policyId },
    organization: { ...organization, policies: without(organization.policies, [policyId]) },
  };
};
