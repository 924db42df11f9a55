import type { deleteWallets } from '../../protocol/activities/delete-wallets.ts';
import type { Effect } from '../effect.ts';
import { without } from '../state.ts';
import { checkExported } from './export-rule.ts';
import { findAll } from './refusals.ts';
import { smartAccountsWithout } from './smart-accounts.ts';

export const deleteWalletsEffect: Effect<typeof deleteWallets> = ({ organization }, parameters) => {
  const { walletIds, deleteWithoutExport } = parameters;
  const wallets = findAll(organization.wallets, walletIds, 'wallet', 'parameters.walletIds');
  checkExported(wallets, deleteWithoutExport, 'wallet');
  const accountIds = [...organization.accounts.values()]
    .filter((account) => walletIds.includes(account.walletId))
    .map((account) => account.id);
  return {
    result: { walletIds },
    organization: {
      ...organization,
      wallets: without(organization.wallets, walletIds),
      accounts: without(organization.accounts, accountIds),
      smartAccounts: smartAccountsWithout(organization, accountIds),
    },
    removedKeys: [...walletIds, ...accountIds],
  };
};
