import * as v from 'valibot';
import { email, text, uuid } from '../fields.ts';
import { defineActivity } from './activity.ts';

export const updateUserEmail = defineActivity({
  name: 'update_user_email',
  summary: "Update a user's e-mail address; an empty one clears it",
  versions: {
    ACTIVITY_TYPE_UPDATE_USER_EMAIL: {
      intent: 'updateUserEmailIntent',
      result: 'updateUserEmailResult',
      parameters: v.strictObject({
        userId: uuid,
        userEmail: email,
        verificationToken: v.exactOptional(text(16_384)),
      }),
    },
  },
  result: v.object({ userId: v.string() }),
});
