import * as v from 'valibot';
import { ids } from '../fields.ts';
import { defineActivity } from './activity.ts';

export const deleteUserTags = defineActivity({
  name: 'delete_user_tags',
  summary: 'Delete tags of users, all or none, and take them from all that have them',
  versions: {
    ACTIVITY_TYPE_DELETE_USER_TAGS: {
      intent: 'deleteUserTagsIntent',
      result: 'deleteUserTagsResult',
      parameters: v.strictObject({ userTagIds: ids }),
    },
  },
  result: v.object({ userTagIds: v.array(v.string()), userIds: v.array(v.string()) }),
});
