import type { deleteSmartAccounts } from '../../protocol/activities/delete-smart-accounts.ts';
import type { Effect } from '../effect.ts';
import { without } from '../state.ts';
import { findAll } from './refusals.ts';

export const deleteSmartAccountsEffect: Effect<typeof deleteSmartAccounts> = ({ organization }, parameters) => {
  const { smartAccountIds } = parameters;
  const { smartAccounts } = organization;
  findAll(smartAccounts, smartAccountIds, 'smart account', 'parameters.smartAccountIds');
  return {
    result: { smartAccountIds },
    organization: { ...organization, smartAccounts: without(smartAccounts, smartAccountIds) },
  };
};
