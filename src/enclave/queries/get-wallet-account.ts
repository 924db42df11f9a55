import type { getWalletAccount } from '../../protocol/queries/get-wallet-account.ts';
import { find, invalidField, notFound } from '../activities/refusals.ts';
import type { Answer } from '../answer.ts';
import { normalHint } from '../ledger/identities.ts';
import { walletAccountView } from '../views/wallet-account.ts';

export const getWalletAccountAnswer: Answer<typeof getWalletAccount> = ({ organization }, request) => {
  const { walletId, address, path } = request;
  find(organization.wallets, walletId, 'wallet', 'walletId');
  if (address === undefined && path === undefined) throw invalidField('address', 'expected an address or a path');
  const account = [...organization.accounts.values()].find(
    (each) =>
      each.walletId === walletId &&
      (address === undefined || normal(each.address) === normal(address)) &&
      (path === undefined || each.path === path),
  );
  if (!account) throw notFound(address === undefined ? 'path' : 'address', 'wallet account', address ?? path ?? '');
  return { account: walletAccountView(account, organization.id) };
};

const normal = (address: string): string => normalHint('WALLET_ACCOUNT_ADDRESS', address);
