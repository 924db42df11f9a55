import type { deletePolicies } from '../../protocol/activities/delete-policies.ts';
import type { Effect } from '../effect.ts';
import { without } from '../state.ts';
import { findAll } from './refusals.ts';

export const deletePoliciesEffect: Effect<typeof deletePolicies> = ({ organization }, { policyIds }) => {
  findAll(organization.policies, policyIds, 'policy', 'parameters.policyIds');
  return {
    result: { policyIds },
    organization: { ...organization, policies: without(organization.policies, policyIds) },
  };
};
