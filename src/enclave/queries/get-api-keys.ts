import type { getApiKeys } from '../../protocol/queries/get-api-keys.ts';
import type { Answer } from '../answer.ts';
import { apiKeyView } from '../views/api-key.ts';
import { usersOf } from './users-of.ts';

export const getApiKeysAnswer: Answer<typeof getApiKeys> = ({ organization }, request) => ({
  apiKeys: usersOf(organization, request.userId).flatMap(({ apiKeys }) => apiKeys.map(apiKeyView)),
});
