import type { getMfaPolicy } from '../../protocol/queries/get-mfa-policy.ts';
import { findMfaPolicy } from '../activities/mfa-policies.ts';
import { find } from '../activities/refusals.ts';
import type { Answer } from '../answer.ts';
import { mfaPolicyView } from '../views/mfa-policy.ts';

export const getMfaPolicyAnswer: Answer<typeof getMfaPolicy> = ({ organization }, { userId, mfaPolicyId }) => ({
  mfaPolicy: mfaPolicyView(
    findMfaPolicy(find(organization.users, userId, 'user', 'userId'), mfaPolicyId, 'mfaPolicyId'),
  ),
});
