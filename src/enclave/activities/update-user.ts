import type { updateUser } from '../../protocol/activities/update-user.ts';
import type { Effect } from '../effect.ts';
import { refuseTags } from './refusals.ts';
import { changeUser } from './users.ts';

export const updateUserEffect: Effect<typeof updateUser> = (context, parameters) => {
  refuseTags(parameters.userTagIds, 'user tag', 'parameters.userTagIds');
  return changeUser(context, parameters.userId, {
    name: parameters.userName,
    email: parameters.userEmail,
    phoneNumber: parameters.userPhoneNumber,
  });
};
