import * as v from 'valibot';
import { defineQuery } from '../activities/activity.ts';
import { text, uuid } from '../fields.ts';
import { decidingPart, explanation, factsOfNow } from './explanation.ts';

export const explainRequest = defineQuery({
  name: 'explain_request',
  summary: 'Explain what the policies say of a request that was sent, such as one that was denied and left no activity',
  request: v.object({
    organizationId: uuid,
    request: v.object({
      /** The exact body that was stamped. */
      body: v.pipe(text(1024 * 1024), v.minLength(1, 'expected the body of a request')),
      /** The header that it was sent with. */
      stamp: v.object({ header: v.picklist(['X-Stamp', 'X-Stamp-Webauthn']), value: text(8192) }),
    }),
  }),
  response: v.object({
    /** Of the activity that it became, if it became one that is still remembered by its body. */
    activityId: v.exactOptional(v.string()),
    allowed: v.boolean(),
    ...explanation,
    unmet: v.array(decidingPart),
    factsOfNow,
  }),
});
