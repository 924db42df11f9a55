import type { updateRootQuorum } from '../../protocol/activities/update-root-quorum.ts';
import type { Effect } from '../effect.ts';
import { findAll, invalidField } from './refusals.ts';
import { checkQuorum } from './users.ts';

export const updateRootQuorumEffect: Effect<typeof updateRootQuorum> = ({ organization, now }, quorum) => {
  const { threshold, userIds } = quorum;
  if (new Set(userIds).size !== userIds.length) throw invalidField('parameters.userIds', 'expected each user once');
  if (threshold > userIds.length) throw invalidField('parameters.userIds', 'quorum users missing');
  findAll(organization.users, userIds, 'user', 'parameters.userIds');
  const settings = { ...organization.settings, rootQuorum: { threshold, userIds }, updatedAt: now };
  const next = { ...organization, settings };
  checkQuorum(next, now);
  return { result: {}, organization: next };
};
