import * as v from 'valibot';
import { uuid } from '../fields.ts';
import { defineActivity } from './activity.ts';
import { payload, payloadForm, signature, signWith } from './key-fields.ts';

export const signRawPayload = defineActivity({
  name: 'sign_raw_payload',
  summary: 'Sign a payload',
  versions: {
    ACTIVITY_TYPE_SIGN_RAW_PAYLOAD: {
      intent: 'signRawPayloadIntent',
      result: 'signRawPayloadResult',
      parameters: v.pipe(
        v.strictObject({ privateKeyId: uuid, payload, ...payloadForm }),
        v.transform(({ privateKeyId, ...given }) => ({ signWith: privateKeyId, ...given })),
      ),
    },
    ACTIVITY_TYPE_SIGN_RAW_PAYLOAD_V2: {
      intent: 'signRawPayloadIntentV2',
      result: 'signRawPayloadResult',
      parameters: v.strictObject({ signWith, payload, ...payloadForm }),
    },
  },
  result: signature,
});
