import * as v from 'valibot';
import { defineQuery } from '../activities/activity.ts';
import { uuid } from '../fields.ts';

export const getReceipt = defineQuery({
  name: 'get_receipt',
  summary: 'Get the receipt of a final activity: what was decided and signed, and the proof that the log holds it',
  request: v.object({
    organizationId: uuid,
    activityId: uuid,
    /** Whether the receipt is to carry the stamps, and the bodies they are over, for whoever it is shown to. */
    stamps: v.exactOptional(v.boolean(), false),
  }),
  /** base64url of the CBOR. */
  response: v.object({ receipt: v.string() }),
});
