import type { listPolicies } from '../../protocol/queries/list-policies.ts';
import type { Answer } from '../answer.ts';
import { policyView } from '../views/policy.ts';
import { byCreation } from './by-creation.ts';

export const listPoliciesAnswer: Answer<typeof listPolicies> = ({ organization }) => ({
  policies: byCreation(organization.policies).map(policyView),
});
