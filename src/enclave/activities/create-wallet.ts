import type { createWallet } from '../../protocol/activities/create-wallet.ts';
import type { Effect } from '../effect.ts';
import { put } from '../state.ts';
import { checkQuota } from './quotas.ts';
import { checkWalletName, newWallet } from './wallets.ts';

export const createWalletEffect: Effect<typeof createWallet> = (context, parameters) => {
  const { organization } = context;
  checkQuota('wallets', organization.wallets.size + 1, 'parameters');
  checkQuota('walletAccounts', organization.accounts.size + parameters.accounts.length, 'parameters.accounts');
  checkWalletName(organization.wallets, parameters.walletName);
  const { wallet, accounts, keys } = newWallet(context, organization.id, parameters, 'parameters');
  return {
    result: { walletId: wallet.id, addresses: accounts.map(({ address }) => address) },
    organization: {
      ...organization,
      wallets: put(organization.wallets, wallet),
      accounts: put(organization.accounts, ...accounts),
    },
    keys,
  };
};
