import type { deletePrivateKeys } from '../../protocol/activities/delete-private-keys.ts';
import type { Effect } from '../effect.ts';
import { without } from '../state.ts';
import { checkExported } from './export-rule.ts';
import { findAll } from './refusals.ts';
import { smartAccountsWithout } from './smart-accounts.ts';

export const deletePrivateKeysEffect: Effect<typeof deletePrivateKeys> = ({ organization }, parameters) => {
  const { privateKeyIds, deleteWithoutExport } = parameters;
  const { privateKeys } = organization;
  const deleted = findAll(privateKeys, privateKeyIds, 'private key', 'parameters.privateKeyIds');
  checkExported(deleted, deleteWithoutExport, 'private key');
  return {
    result: { privateKeyIds },
    organization: {
      ...organization,
      privateKeys: without(privateKeys, privateKeyIds),
      smartAccounts: smartAccountsWithout(organization, privateKeyIds),
    },
    removedKeys: privateKeyIds,
  };
};
