import * as v from 'valibot';
import { ids } from '../fields.ts';
import { defineActivity } from './activity.ts';

export const deletePrivateKeyTags = defineActivity({
  name: 'delete_private_key_tags',
  summary: 'Delete tags of private keys, all or none, and take them from all that have them',
  versions: {
    ACTIVITY_TYPE_DELETE_PRIVATE_KEY_TAGS: {
      intent: 'deletePrivateKeyTagsIntent',
      result: 'deletePrivateKeyTagsResult',
      parameters: v.strictObject({ privateKeyTagIds: ids }),
    },
  },
  result: v.object({ privateKeyTagIds: v.array(v.string()), privateKeyIds: v.array(v.string()) }),
});
