import type { createAuthenticators } from '../../protocol/activities/create-authenticators.ts';
import type { Effect } from '../effect.ts';
import { put } from '../state.ts';
import { withAuthenticators } from './credentials.ts';
import { findUser, scopeOf } from './users.ts';

export const createAuthenticatorsEffect: Effect<typeof createAuthenticators> = async (context, parameters) => {
  const { organization } = context;
  const user = findUser(organization, parameters.userId);
  const next = await withAuthenticators(
    context,
    scopeOf(organization),
    user,
    parameters.authenticators,
    'parameters.authenticators',
  );
  return {
    result: { authenticatorIds: next.authenticators.slice(user.authenticators.length).map(({ id }) => id) },
    organization: { ...organization, users: put(organization.users, next) },
  };
};
