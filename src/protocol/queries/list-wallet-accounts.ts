import * as v from 'valibot';
import { defineQuery } from '../activities/activity.ts';
import { uuid } from '../fields.ts';
import { walletAccount } from './objects.ts';
import { paginationOptions } from './pagination.ts';

export const listWalletAccounts = defineQuery({
  name: 'list_wallet_accounts',
  summary: 'List the accounts of a wallet, or of all wallets',
  request: v.object({
    organizationId: uuid,
    walletId: v.exactOptional(uuid),
    includeWalletDetails: v.exactOptional(v.boolean()),
    paginationOptions,
  }),
  response: v.object({ accounts: v.array(walletAccount) }),
});
