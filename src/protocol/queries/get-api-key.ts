import * as v from 'valibot';
import { defineQuery } from '../activities/activity.ts';
import { uuid } from '../fields.ts';
import { apiKey } from './objects.ts';

export const getApiKey = defineQuery({
  name: 'get_api_key',
  summary: 'Get an API key',
  request: v.object({ organizationId: uuid, apiKeyId: uuid }),
  response: v.object({ apiKey }),
});
