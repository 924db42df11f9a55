import type { updateWallet } from '../../protocol/activities/update-wallet.ts';
import type { Effect } from '../effect.ts';
import { put } from '../state.ts';
import { find } from './refusals.ts';
import { checkWalletName } from './wallets.ts';

export const updateWalletEffect: Effect<typeof updateWallet> = ({ organization, now }, { walletId, walletName }) => {
  const { wallets } = organization;
  const wallet = find(wallets, walletId, 'wallet', 'parameters.walletId');
  const name = walletName ?? wallet.name;
  checkWalletName(wallets, name, walletId);
  return {
    result: { walletId },
    organization: { ...organization, wallets: put(wallets, { ...wallet, name, updatedAt: now }) },
  };
};
