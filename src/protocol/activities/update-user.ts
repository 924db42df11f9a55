import * as v from 'valibot';
import { email, label, list, phoneNumber, uuid } from '../fields.ts';
import { defineActivity } from './activity.ts';

export const updateUser = defineActivity({
  name: 'update_user',
  summary: "Update a user's name, e-mail address, phone number or tags",
  versions: {
    ACTIVITY_TYPE_UPDATE_USER: {
      intent: 'updateUserIntent',
      result: 'updateUserResult',
      parameters: v.strictObject({
        userId: uuid,
        userName: v.exactOptional(label),
        userEmail: v.exactOptional(email),
        userTagIds: v.exactOptional(list(uuid)),
        userPhoneNumber: v.exactOptional(phoneNumber),
      }),
    },
  },
  result: v.object({ userId: v.string() }),
});
