import type { createUsers } from '../../protocol/activities/create-users.ts';
import type { Effect } from '../effect.ts';
import { addUsers } from './users.ts';

export const createUsersEffect: Effect<typeof createUsers> = (context, { users }) =>
  addUsers(context, users, 'parameters.users');
