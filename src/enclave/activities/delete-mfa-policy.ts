import type { deleteMfaPolicy } from '../../protocol/activities/delete-mfa-policy.ts';
import type { Effect } from '../effect.ts';
import { findMfaPolicy, withMfaPolicies } from './mfa-policies.ts';
import { findUser } from './users.ts';

export const deleteMfaPolicyEffect: Effect<typeof deleteMfaPolicy> = (context, { userId, mfaPolicyId }) => {
  const { organization, now } = context;
  const user = findUser(organization, userId);
  const policy = findMfaPolicy(user, mfaPolicyId, 'parameters.mfaPolicyId');
  const policies = (user.mfaPolicies ?? []).filter((each) => each !== policy);
  return { result: { mfaPolicyId }, organization: withMfaPolicies(organization, user, policies, now) };
};
