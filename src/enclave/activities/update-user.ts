import type { updateUser } from '../../protocol/activities/update-user.ts';
import type { Effect } from '../effect.ts';
import { checkTags, userTags } from './tags.ts';
import { changeUser } from './users.ts';

/** Tags that are given take the place of all that the user has. */
export const updateUserEffect: Effect<typeof updateUser> = (context, parameters) => {
  const { userId, userName, userEmail, userPhoneNumber, userTagIds } = parameters;
  checkTags(context.organization.tags, userTags, { ids: userTagIds, field: 'parameters.userTagIds' });
  return changeUser(context, userId, {
    name: userName,
    email: userEmail,
    phoneNumber: userPhoneNumber,
    ...(userTagIds.length > 0 && { tagIds: userTagIds }),
  });
};
