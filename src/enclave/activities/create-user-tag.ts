import type { createUserTag } from '../../protocol/activities/create-user-tag.ts';
import type { Effect } from '../effect.ts';
import { createTag, userTags } from './tags.ts';

export const createUserTagEffect: Effect<typeof createUserTag> = (context, { userTagName, userIds }) => {
  const { tag, organization } = createTag(context, userTags, {
    name: { value: userTagName, field: 'parameters.userTagName' },
    holders: { ids: userIds, field: 'parameters.userIds' },
  });
  return { result: { userTagId: tag.id, userIds }, organization };
};
