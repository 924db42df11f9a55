import * as v from 'valibot';
import { defineQuery } from '../activities/activity.ts';
import { text, uuid } from '../fields.ts';
import { paginationOptions } from './pagination.ts';

export const listSuborgs = defineQuery({
  name: 'list_suborgs',
  summary: 'List the sub-organizations of a parent organization, or those that a filter names',
  request: v.object({
    organizationId: uuid,
    filterType: v.exactOptional(
      v.picklist([
        'CREDENTIAL_ID',
        'PUBLIC_KEY',
        'NAME',
        'USERNAME',
        'EMAIL',
        'PHONE_NUMBER',
        'WALLET_ACCOUNT_ADDRESS',
        'OIDC_TOKEN',
      ]),
    ),
    filterValue: v.exactOptional(text(16_384)),
    paginationOptions,
  }),
  response: v.object({ organizationIds: v.array(v.string()) }),
});
