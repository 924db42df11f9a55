import type { createApiOnlyUsers } from '../../protocol/activities/create-api-only-users.ts';
import type { Effect } from '../effect.ts';
import { addUsers } from './users.ts';

export const createApiOnlyUsersEffect: Effect<typeof createApiOnlyUsers> = (context, { apiOnlyUsers }) =>
  addUsers(context, apiOnlyUsers, 'parameters.apiOnlyUsers');
