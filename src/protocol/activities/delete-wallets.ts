import * as v from 'valibot';
import { ids } from '../fields.ts';
import { defineActivity } from './activity.ts';

export const deleteWallets = defineActivity({
  name: 'delete_wallets',
  summary: 'Delete wallets with their accounts and keys',
  versions: {
    ACTIVITY_TYPE_DELETE_WALLETS: {
      intent: 'deleteWalletsIntent',
      result: 'deleteWalletsResult',
      parameters: v.strictObject({ walletIds: ids, deleteWithoutExport: v.exactOptional(v.boolean()) }),
    },
  },
  result: v.object({ walletIds: v.array(v.string()) }),
});
