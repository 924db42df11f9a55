import type { getMfaPolicies } from '../../protocol/queries/get-mfa-policies.ts';
import { find } from '../activities/refusals.ts';
import type { Answer } from '../answer.ts';
import { mfaPoliciesView } from '../views/mfa-policy.ts';

export const getMfaPoliciesAnswer: Answer<typeof getMfaPolicies> = ({ organization }, { userId }) => ({
  mfaPolicies: mfaPoliciesView(find(organization.users, userId, 'user', 'userId')),
});
