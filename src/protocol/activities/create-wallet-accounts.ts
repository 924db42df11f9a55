import * as v from 'valibot';
import { list, uuid } from '../fields.ts';
import { defineActivity } from './activity.ts';
import { account } from './key-fields.ts';

export const createWalletAccounts = defineActivity({
  name: 'create_wallet_accounts',
  summary: "Derive accounts from a wallet's seed; with `persist` false, only show their addresses",
  versions: {
    ACTIVITY_TYPE_CREATE_WALLET_ACCOUNTS: {
      intent: 'createWalletAccountsIntent',
      result: 'createWalletAccountsResult',
      parameters: v.strictObject({
        walletId: uuid,
        accounts: list(account, { min: 1 }),
        persist: v.exactOptional(v.boolean(), true),
      }),
    },
  },
  result: v.object({ addresses: v.array(v.string()) }),
});
