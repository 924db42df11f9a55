import * as v from 'valibot';
import { ids } from '../fields.ts';
import { defineActivity } from './activity.ts';

export const deleteSmartAccounts = defineActivity({
  name: 'delete_smart_accounts',
  summary: 'Forget smart accounts: their user operations are not signed any more',
  versions: {
    ACTIVITY_TYPE_DELETE_SMART_ACCOUNTS: {
      intent: 'deleteSmartAccountsIntent',
      result: 'deleteSmartAccountsResult',
      parameters: v.strictObject({ smartAccountIds: ids }),
    },
  },
  result: v.object({ smartAccountIds: v.array(v.string()) }),
});
