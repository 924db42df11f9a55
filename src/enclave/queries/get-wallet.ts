import type { getWallet } from '../../protocol/queries/get-wallet.ts';
import { find } from '../activities/refusals.ts';
import type { Answer } from '../answer.ts';
import { walletView } from '../views/wallet.ts';

export const getWalletAnswer: Answer<typeof getWallet> = ({ organization }, request) => ({
  wallet: walletView(find(organization.wallets, request.walletId, 'wallet', 'walletId')),
});
