import type { deleteUsers } from '../../protocol/activities/delete-users.ts';
import type { Effect } from '../effect.ts';
import { without } from '../state.ts';
import { findAll } from './refusals.ts';
import { checkQuorum, withoutCounts } from './users.ts';

/** Deleted users leave the root quorum, which must stay reachable. */
export const deleteUsersEffect: Effect<typeof deleteUsers> = ({ organization, now }, { userIds }) => {
  const { settings, users, counters } = organization;
  const deleted = findAll(users, userIds, 'user', 'parameters.userIds');
  const { threshold, userIds: members } = settings.rootQuorum;
  const remaining = members.filter((id) => !userIds.includes(id));
  const isMemberDeleted = remaining.length < members.length;
  const next = {
    ...organization,
    users: without(users, userIds),
    settings: isMemberDeleted
      ? { ...settings, rootQuorum: { threshold, userIds: remaining }, updatedAt: now }
      : settings,
    counters: withoutCounts(
      counters,
      deleted.flatMap((user) => [...user.authenticators, ...user.apiKeys].map((credential) => credential.id)),
    ),
  };
  if (isMemberDeleted) checkQuorum(next, now);
  return { result: { userIds }, organization: next };
};
