import type { deleteAuthenticators } from '../../protocol/activities/delete-authenticators.ts';
import type { Effect } from '../effect.ts';
import { removeCredentials } from './users.ts';

export const deleteAuthenticatorsEffect: Effect<typeof deleteAuthenticators> = (context, parameters) => {
  const { userId, authenticatorIds } = parameters;
  return {
    result: { authenticatorIds },
    organization: removeCredentials(context, userId, 'authenticators', authenticatorIds, 'parameters.authenticatorIds'),
  };
};
