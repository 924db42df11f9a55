import type { updateUserTag } from '../../protocol/activities/update-user-tag.ts';
import type { Effect } from '../effect.ts';
import { updateTag, userTags } from './tags.ts';

export const updateUserTagEffect: Effect<typeof updateUserTag> = (context, parameters) => {
  const { userTagId, newUserTagName, addUserIds, removeUserIds } = parameters;
  const organization = updateTag(context, userTags, {
    tag: { id: userTagId, field: 'parameters.userTagId' },
    name: { value: newUserTagName, field: 'parameters.newUserTagName' },
    added: { ids: addUserIds, field: 'parameters.addUserIds' },
    removed: { ids: removeUserIds, field: 'parameters.removeUserIds' },
  });
  return { result: { userTagId }, organization };
};
