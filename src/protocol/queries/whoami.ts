import * as v from 'valibot';
import { defineQuery } from '../activities/activity.ts';
import { uuid } from '../fields.ts';

/** With the id of a parent organization, the one sub-organization that the credential belongs to answers. */
export const whoami = defineQuery({
  name: 'whoami',
  summary: 'Who stamped this request, and in which organization',
  request: v.object({ organizationId: uuid }),
  response: v.object({
    organizationId: v.string(),
    organizationName: v.string(),
    userId: v.string(),
    username: v.string(),
  }),
});
