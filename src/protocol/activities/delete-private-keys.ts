import * as v from 'valibot';
import { ids } from '../fields.ts';
import { defineActivity } from './activity.ts';

export const deletePrivateKeys = defineActivity({
  name: 'delete_private_keys',
  summary: 'Delete private keys',
  versions: {
    ACTIVITY_TYPE_DELETE_PRIVATE_KEYS: {
      intent: 'deletePrivateKeysIntent',
      result: 'deletePrivateKeysResult',
      parameters: v.strictObject({ privateKeyIds: ids, deleteWithoutExport: v.exactOptional(v.boolean()) }),
    },
  },
  result: v.object({ privateKeyIds: v.array(v.string()) }),
});
