import * as v from 'valibot';
import { emptyIds, label, uuid } from '../fields.ts';
import { defineActivity } from './activity.ts';

export const updateUserTag = defineActivity({
  name: 'update_user_tag',
  summary: 'Rename a tag, give it to users and take it from others',
  versions: {
    ACTIVITY_TYPE_UPDATE_USER_TAG: {
      intent: 'updateUserTagIntent',
      result: 'updateUserTagResult',
      parameters: v.strictObject({
        userTagId: uuid,
        newUserTagName: v.exactOptional(label),
        addUserIds: emptyIds,
        removeUserIds: emptyIds,
      }),
    },
  },
  result: v.object({ userTagId: v.string() }),
});
