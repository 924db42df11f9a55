import type { getPolicy } from '../../protocol/queries/get-policy.ts';
import { find } from '../activities/refusals.ts';
import type { Answer } from '../answer.ts';
import { policyView } from '../views/policy.ts';

export const getPolicyAnswer: Answer<typeof getPolicy> = ({ organization }, request) => ({
  policy: policyView(find(organization.policies, request.policyId, 'policy', 'policyId')),
});
