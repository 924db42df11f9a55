import type { getApiKey } from '../../protocol/queries/get-api-key.ts';
import { notFound } from '../activities/refusals.ts';
import type { Answer } from '../answer.ts';
import { apiKeyView } from '../views/api-key.ts';
import { byCreation } from './by-creation.ts';

export const getApiKeyAnswer: Answer<typeof getApiKey> = ({ organization }, request) => {
  const all = byCreation(organization.users).flatMap(({ apiKeys }) => apiKeys);
  const found = all.find(({ id }) => id === request.apiKeyId);
  if (!found) throw notFound('apiKeyId', 'api key', request.apiKeyId);
  return { apiKey: apiKeyView(found) };
};
