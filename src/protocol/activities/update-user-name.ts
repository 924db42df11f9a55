import * as v from 'valibot';
import { label, uuid } from '../fields.ts';
import { defineActivity } from './activity.ts';

export const updateUserName = defineActivity({
  name: 'update_user_name',
  summary: "Update a user's name",
  versions: {
    ACTIVITY_TYPE_UPDATE_USER_NAME: {
      intent: 'updateUserNameIntent',
      result: 'updateUserNameResult',
      parameters: v.strictObject({ userId: uuid, userName: label }),
    },
  },
  result: v.object({ userId: v.string() }),
});
