import type { getUser } from '../../protocol/queries/get-user.ts';
import { find } from '../activities/refusals.ts';
import type { Answer } from '../answer.ts';
import { userView } from '../views/user.ts';

export const getUserAnswer: Answer<typeof getUser> = ({ organization }, request) => ({
  user: userView(find(organization.users, request.userId, 'user', 'userId')),
});
