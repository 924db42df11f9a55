import * as v from 'valibot';
import { ids } from '../fields.ts';
import { defineActivity } from './activity.ts';

export const deleteWalletAccounts = defineActivity({
  name: 'delete_wallet_accounts',
  summary: 'Delete accounts of wallets; the wallets can derive them again',
  versions: {
    ACTIVITY_TYPE_DELETE_WALLET_ACCOUNTS: {
      intent: 'deleteWalletAccountsIntent',
      result: 'deleteWalletAccountsResult',
      parameters: v.strictObject({ walletAccountIds: ids, deleteWithoutExport: v.exactOptional(v.boolean()) }),
    },
  },
  result: v.object({ walletAccountIds: v.array(v.string()) }),
});
