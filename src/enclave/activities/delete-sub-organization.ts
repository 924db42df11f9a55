import type { deleteSubOrganization } from '../../protocol/activities/delete-sub-organization.ts';
import { invalidArgument } from '../../protocol/errors.ts';
import type { Effect } from '../effect.ts';
import { noContent } from '../state.ts';
import { checkExported } from './export-rule.ts';

/** Leaves a tombstone: the id stays taken, and nothing else is kept. */
export const deleteSubOrganizationEffect: Effect<typeof deleteSubOrganization> = (context, { deleteWithoutExport }) => {
  const { organization, now } = context;
  if (organization.parentId === null) throw invalidArgument('a parent organization cannot be deleted');
  const { id, parentId, settings, wallets, accounts, privateKeys } = organization;
  checkExported(wallets.values(), deleteWithoutExport, 'wallet');
  checkExported(privateKeys.values(), deleteWithoutExport, 'private key');
  return {
    result: { subOrganizationUuid: id },
    organization: {
      id,
      parentId,
      settings: {
        name: '',
        createdAt: settings.createdAt,
        updatedAt: now,
        rootQuorum: { threshold: 0, userIds: [] },
        features: [],
        origins: null,
        rpIds: null,
      },
      ...noContent,
      deleted: true,
    },
    removedKeys: [...wallets.keys(), ...accounts.keys(), ...privateKeys.keys()],
  };
};
