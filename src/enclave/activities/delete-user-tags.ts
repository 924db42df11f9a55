import type { deleteUserTags } from '../../protocol/activities/delete-user-tags.ts';
import type { Effect } from '../effect.ts';
import { deleteTags, userTags } from './tags.ts';

export const deleteUserTagsEffect: Effect<typeof deleteUserTags> = (context, { userTagIds }) => {
  const tags = { ids: userTagIds, field: 'parameters.userTagIds' };
  const { holderIds, organization } = deleteTags(context, userTags, tags);
  return { result: { userTagIds, userIds: holderIds }, organization };
};
