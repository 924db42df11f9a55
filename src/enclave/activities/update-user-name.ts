import type { updateUserName } from '../../protocol/activities/update-user-name.ts';
import type { Effect } from '../effect.ts';
import { changeUser } from './users.ts';

export const updateUserNameEffect: Effect<typeof updateUserName> = (context, { userId, userName }) =>
  changeUser(context, userId, { name: userName });
