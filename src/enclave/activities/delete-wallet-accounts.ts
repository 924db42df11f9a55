import type { deleteWalletAccounts } from '../../protocol/activities/delete-wallet-accounts.ts';
import type { Effect } from '../effect.ts';
import { without } from '../state.ts';
import { checkExported } from './export-rule.ts';
import { find, findAll } from './refusals.ts';
import { smartAccountsWithout } from './smart-accounts.ts';

/** An account is as good as exported when its wallet is. */
export const deleteWalletAccountsEffect: Effect<typeof deleteWalletAccounts> = ({ organization }, parameters) => {
  const { walletAccountIds, deleteWithoutExport } = parameters;
  const { accounts, wallets } = organization;
  const field = 'parameters.walletAccountIds';
  const deleted = findAll(accounts, walletAccountIds, 'wallet account', field);
  const ofWallets = deleted.map(({ walletId }) => find(wallets, walletId, 'wallet', field));
  checkExported(ofWallets, deleteWithoutExport, 'wallet account');
  return {
    result: { walletAccountIds },
    organization: {
      ...organization,
      accounts: without(accounts, walletAccountIds),
      smartAccounts: smartAccountsWithout(organization, walletAccountIds),
    },
    removedKeys: walletAccountIds,
  };
};
