import * as v from 'valibot';
import { emptyIds, label } from '../fields.ts';
import { defineActivity } from './activity.ts';

export const createPrivateKeyTag = defineActivity({
  name: 'create_private_key_tag',
  summary: 'Create a tag and give it to private keys',
  versions: {
    ACTIVITY_TYPE_CREATE_PRIVATE_KEY_TAG: {
      intent: 'createPrivateKeyTagIntent',
      result: 'createPrivateKeyTagResult',
      parameters: v.strictObject({ privateKeyTagName: label, privateKeyIds: emptyIds }),
    },
  },
  result: v.object({ privateKeyTagId: v.string(), privateKeyIds: v.array(v.string()) }),
});
