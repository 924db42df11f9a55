import { type Organization, without } from '../state.ts';

/** The smart accounts that are left when these keys go: nobody could sign for one without its owner. */
export function smartAccountsWithout(
  { smartAccounts }: Pick<Organization, 'smartAccounts'>,
  keyIds: readonly string[],
): Organization['smartAccounts'] {
  const owned = [...smartAccounts.values()].filter(({ keyId }) => keyIds.includes(keyId));
  return owned.length === 0
    ? smartAccounts
    : without(
        smartAccounts,
        owned.map(({ id }) => id),
      );
}
