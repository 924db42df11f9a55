import type { listUsers } from '../../protocol/queries/list-users.ts';
import type { Answer } from '../answer.ts';
import { userView } from '../views/user.ts';
import { byCreation } from './by-creation.ts';

export const listUsersAnswer: Answer<typeof listUsers> = ({ organization }) => ({
  users: byCreation(organization.users).map(userView),
});
