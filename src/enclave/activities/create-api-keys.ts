import type { createApiKeys } from '../../protocol/activities/create-api-keys.ts';
import type { Effect } from '../effect.ts';
import { put } from '../state.ts';
import { withApiKeys } from './credentials.ts';
import { findUser, scopeOf } from './users.ts';

export const createApiKeysEffect: Effect<typeof createApiKeys> = (context, { userId, apiKeys }) => {
  const { organization } = context;
  const user = findUser(organization, userId);
  const next = withApiKeys(context, scopeOf(organization), user, apiKeys, 'parameters.apiKeys');
  return {
    result: { apiKeyIds: next.apiKeys.slice(-apiKeys.length).map(({ id }) => id) },
    organization: { ...organization, users: put(organization.users, next) },
  };
};
