import * as v from 'valibot';
import { emptyIds, label, uuid } from '../fields.ts';
import { defineActivity } from './activity.ts';

export const updatePrivateKeyTag = defineActivity({
  name: 'update_private_key_tag',
  summary: 'Rename a tag, give it to private keys and take it from others',
  versions: {
    ACTIVITY_TYPE_UPDATE_PRIVATE_KEY_TAG: {
      intent: 'updatePrivateKeyTagIntent',
      result: 'updatePrivateKeyTagResult',
      parameters: v.strictObject({
        privateKeyTagId: uuid,
        newPrivateKeyTagName: v.exactOptional(label),
        addPrivateKeyIds: emptyIds,
        removePrivateKeyIds: emptyIds,
      }),
    },
  },
  result: v.object({ privateKeyTagId: v.string() }),
});
