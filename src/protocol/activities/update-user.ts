import * as v from 'valibot';
import { email, emptyIds, label, phoneNumber, uuid } from '../fields.ts';
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
        // Empty where it is not needed: no tag is taken away by it.
        userTagIds: emptyIds,
        userPhoneNumber: v.exactOptional(phoneNumber),
      }),
    },
  },
  result: v.object({ userId: v.string() }),
});
