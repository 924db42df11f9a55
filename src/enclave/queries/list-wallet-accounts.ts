import type { listWalletAccounts } from '../../protocol/queries/list-wallet-accounts.ts';
import { find } from '../activities/refusals.ts';
import type { Answer } from '../answer.ts';
import { walletView } from '../views/wallet.ts';
import { walletAccountView } from '../views/wallet-account.ts';
import { byCreation } from './by-creation.ts';
import { paginate } from './paginate.ts';

/** Oldest first. */
export const listWalletAccountsAnswer: Answer<typeof listWalletAccounts> = ({ organization }, request) => {
  const { walletId, includeWalletDetails, paginationOptions } = request;
  if (walletId !== undefined) find(organization.wallets, walletId, 'wallet', 'walletId');
  const all = byCreation(organization.accounts).filter((each) => walletId === undefined || each.walletId === walletId);
  const accounts = paginate(all, paginationOptions, 'wallet account').map((account) => {
    const wallet = includeWalletDetails ? organization.wallets.get(account.walletId) : undefined;
    const view = walletAccountView(account, organization.id);
    return wallet ? { ...view, walletDetails: walletView(wallet) } : view;
  });
  return { accounts };
};
