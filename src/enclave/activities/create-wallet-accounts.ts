import type { createWalletAccounts } from '../../protocol/activities/create-wallet-accounts.ts';
import type { Effect } from '../effect.ts';
import { put } from '../state.ts';
import { checkQuota } from './quotas.ts';
import { find } from './refusals.ts';
import { checkPaths, deriveAccounts, zero } from './wallets.ts';

const field = 'parameters.accounts';

export const createWalletAccountsEffect: Effect<typeof createWalletAccounts> = async (context, parameters) => {
  const { organization } = context;
  const { walletId, persist } = parameters;
  const wallet = find(organization.wallets, walletId, 'wallet', 'parameters.walletId');
  if (persist) {
    checkQuota('walletAccounts', organization.accounts.size + parameters.accounts.length, field);
    const held = [...organization.accounts.values()].filter((account) => account.walletId === walletId);
    checkPaths(
      held.map((account) => account.path),
      parameters.accounts,
      field,
    );
  }
  const { accounts, keys } = await context.withKey(walletId, wallet.seedDigest, (entropy) =>
    deriveAccounts(context, organization.id, walletId, entropy, parameters.accounts, field),
  );
  const result = { addresses: accounts.map(({ address }) => address) };
  if (!persist) {
    zero(keys);
    return { result };
  }
  return {
    result,
    organization: { ...organization, accounts: put(organization.accounts, ...accounts) },
    keys,
  };
};
