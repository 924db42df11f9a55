import * as v from 'valibot';
import { list } from '../fields.ts';
import { defineActivity } from './activity.ts';
import { privateKey, privateKeyResult } from './key-fields.ts';

const privateKeys = list(privateKey, { min: 1 });

export const createPrivateKeys = defineActivity({
  name: 'create_private_keys',
  summary: 'Create private keys that belong to no wallet',
  versions: {
    ACTIVITY_TYPE_CREATE_PRIVATE_KEYS: {
      intent: 'createPrivateKeysIntent',
      result: 'createPrivateKeysResult',
      // Its result has other fields, which the effect has to know.
      parameters: v.pipe(
        v.strictObject({ privateKeys }),
        v.transform((given) => ({ ...given, resultForm: 'ids' as const })),
      ),
    },
    ACTIVITY_TYPE_CREATE_PRIVATE_KEYS_V2: {
      intent: 'createPrivateKeysIntentV2',
      result: 'createPrivateKeysResultV2',
      parameters: v.pipe(
        v.strictObject({ privateKeys }),
        v.transform((given) => ({ ...given, resultForm: 'addresses' as const })),
      ),
    },
  },
  result: v.union([
    v.object({ privateKeys: v.array(privateKeyResult) }),
    v.object({ privateKeyIds: v.array(v.string()) }),
  ]),
});
