import type { deleteApiKeys } from '../../protocol/activities/delete-api-keys.ts';
import type { Effect } from '../effect.ts';
import { removeCredentials } from './users.ts';

export const deleteApiKeysEffect: Effect<typeof deleteApiKeys> = (context, { userId, apiKeyIds }) => ({
  result: { apiKeyIds },
  organization: removeCredentials(context, userId, 'apiKeys', apiKeyIds, 'parameters.apiKeyIds'),
});
