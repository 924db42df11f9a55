import type { WalletAccountObject } from '../../protocol/queries/objects.ts';
import type { WalletAccount } from '../state.ts';
import { timesView } from './times.ts';

export const walletAccountView = (account: WalletAccount, organizationId: string): WalletAccountObject => ({
  walletAccountId: account.id,
  organizationId,
  walletId: account.walletId,
  ...(account.name === undefined ? {} : { name: account.name }),
  curve: account.curve,
  pathFormat: 'PATH_FORMAT_BIP32',
  path: account.path,
  addressFormat: account.addressFormat,
  address: account.address,
  publicKey: account.publicKey,
  ...timesView(account),
});
