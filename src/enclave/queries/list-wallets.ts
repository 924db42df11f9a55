import type { listWallets } from '../../protocol/queries/list-wallets.ts';
import type { Answer } from '../answer.ts';
import { walletView } from '../views/wallet.ts';
import { byCreation } from './by-creation.ts';

export const listWalletsAnswer: Answer<typeof listWallets> = ({ organization }) => ({
  wallets: byCreation(organization.wallets).map(walletView),
});
