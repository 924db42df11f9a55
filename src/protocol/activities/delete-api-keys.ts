import * as v from 'valibot';
import { ids, uuid } from '../fields.ts';
import { defineActivity } from './activity.ts';

export const deleteApiKeys = defineActivity({
  name: 'delete_api_keys',
  summary: 'Delete API keys of a user',
  versions: {
    ACTIVITY_TYPE_DELETE_API_KEYS: {
      intent: 'deleteApiKeysIntent',
      result: 'deleteApiKeysResult',
      parameters: v.strictObject({ userId: uuid, apiKeyIds: ids }),
    },
  },
  result: v.object({ apiKeyIds: v.array(v.string()) }),
});
