import * as v from 'valibot';
import { defineQuery } from '../activities/activity.ts';
import { uuid } from '../fields.ts';
import { apiKey } from './objects.ts';

export const getApiKeys = defineQuery({
  name: 'get_api_keys',
  summary: 'List the API keys of a user, or of all users',
  request: v.object({ organizationId: uuid, userId: v.exactOptional(uuid) }),
  response: v.object({ apiKeys: v.array(apiKey) }),
});
