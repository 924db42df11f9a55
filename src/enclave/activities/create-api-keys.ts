import type { createApiKeys, ScopedApiKeyParameters } from '../../protocol/activities/create-api-keys.ts';
import type { Effect } from '../effect.ts';
import { type ApiKey, put } from '../state.ts';
import { withApiKeys } from './credentials.ts';
import { lifetimeOf, withProfile } from './session-profiles.ts';
import { findUser, scopeOf } from './users.ts';

export const createApiKeysEffect: Effect<typeof createApiKeys> = async (context, { userId, apiKeys }) => {
  let { organization } = context;
  const user = findUser(organization, userId);
  const given: ScopedApiKeyParameters[] = [];
  for (const [index, key] of (apiKeys as readonly ScopedApiKeyParameters[]).entries()) {
    if (key.sessionProfileId === undefined) {
      given.push(key);
      continue;
    }
    const field = `parameters.apiKeys.${index}.sessionProfileId`;
    const { profile, organization: next } = await withProfile(context, organization, key.sessionProfileId, field);
    organization = next;
    const { expirationSeconds: asked, ...lasting } = key;
    const expirationSeconds = lifetimeOf(profile, asked);
    given.push(expirationSeconds === undefined ? lasting : { ...lasting, expirationSeconds });
  }
  const { apiKeys: held, ...rest } = withApiKeys(context, scopeOf(organization), user, given, 'parameters.apiKeys');
  const first = held.length - given.length;
  const bound = held.map((key, index): ApiKey => {
    const profileId = given[index - first]?.sessionProfileId;
    return profileId === undefined ? key : { ...key, sessionProfileId: profileId };
  });
  return {
    result: { apiKeyIds: bound.slice(first).map(({ id }) => id) },
    organization: { ...organization, users: put(organization.users, { ...rest, apiKeys: bound }) },
  };
};
