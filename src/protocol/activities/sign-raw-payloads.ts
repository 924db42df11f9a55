import * as v from 'valibot';
import { list } from '../fields.ts';
import { defineActivity } from './activity.ts';
import { payload, payloadForm, signature, signWith } from './key-fields.ts';

export const signRawPayloads = defineActivity({
  name: 'sign_raw_payloads',
  summary: 'Sign several payloads with one key',
  versions: {
    ACTIVITY_TYPE_SIGN_RAW_PAYLOADS: {
      intent: 'signRawPayloadsIntent',
      result: 'signRawPayloadsResult',
      parameters: v.strictObject({ signWith, payloads: list(payload, { min: 1 }), ...payloadForm }),
    },
  },
  result: v.object({ signatures: v.array(signature) }),
});
