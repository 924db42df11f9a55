import { find } from '../activities/refusals.ts';
import type { Organization, User } from '../state.ts';
import { byCreation } from './by-creation.ts';

/** The user `userId`, or all users where it is left out. */
export const usersOf = ({ users }: Organization, userId: string | undefined): User[] =>
  userId === undefined ? byCreation(users) : [find(users, userId, 'user', 'userId')];
