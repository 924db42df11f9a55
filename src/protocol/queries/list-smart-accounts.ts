import * as v from 'valibot';
import { defineQuery } from '../activities/activity.ts';
import { uuid } from '../fields.ts';
import { smartAccount } from './objects.ts';

export const listSmartAccounts = defineQuery({
  name: 'list_smart_accounts',
  summary: 'List the smart accounts that an organization has pinned',
  request: v.object({ organizationId: uuid }),
  response: v.object({ smartAccounts: v.array(smartAccount) }),
});
