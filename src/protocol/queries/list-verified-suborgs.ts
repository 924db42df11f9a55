import * as v from 'valibot';
import { defineQuery } from '../activities/activity.ts';
import { text, uuid } from '../fields.ts';
import { paginationOptions } from './pagination.ts';

export const listVerifiedSuborgs = defineQuery({
  name: 'list_verified_suborgs',
  summary: 'List the sub-organizations with a verified contact',
  request: v.object({
    organizationId: uuid,
    filterType: v.exactOptional(v.picklist(['EMAIL', 'PHONE_NUMBER'])),
    filterValue: v.exactOptional(text(255)),
    paginationOptions,
  }),
  response: v.object({ organizationIds: v.array(v.string()) }),
});
