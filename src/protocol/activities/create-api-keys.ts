import * as v from 'valibot';
import { list, uuid } from '../fields.ts';
import { defineActivity } from './activity.ts';
import { apiKey, apiKeyOfV1 } from './credential-fields.ts';

/** Ours: a key that is good for no more than a session with this profile is. */
const scopedApiKey = v.strictObject({ ...apiKey.entries, sessionProfileId: v.exactOptional(uuid) });

export const createApiKeys = defineActivity({
  name: 'create_api_keys',
  summary: 'Add API keys to a user',
  versions: {
    ACTIVITY_TYPE_CREATE_API_KEYS: {
      intent: 'createApiKeysIntent',
      result: 'createApiKeysResult',
      parameters: v.strictObject({ userId: uuid, apiKeys: list(apiKeyOfV1, { min: 1 }) }),
    },
    ACTIVITY_TYPE_CREATE_API_KEYS_V2: {
      intent: 'createApiKeysIntentV2',
      result: 'createApiKeysResult',
      parameters: v.strictObject({ userId: uuid, apiKeys: list(scopedApiKey, { min: 1 }) }),
    },
  },
  result: v.object({ apiKeyIds: v.array(v.string()) }),
});

export type ScopedApiKeyParameters = v.InferOutput<typeof scopedApiKey>;
