import type { WalletObject } from '../../protocol/queries/objects.ts';
import type { Wallet } from '../state.ts';
import { timesView } from './times.ts';

export const walletView = ({ id, name, exported, imported, ...times }: Wallet): WalletObject => ({
  walletId: id,
  walletName: name,
  exported,
  imported,
  ...timesView(times),
});
