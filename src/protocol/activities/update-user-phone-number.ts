import * as v from 'valibot';
import { phoneNumber, text, uuid } from '../fields.ts';
import { defineActivity } from './activity.ts';

export const updateUserPhoneNumber = defineActivity({
  name: 'update_user_phone_number',
  summary: "Update a user's phone number; an empty one clears it",
  versions: {
    ACTIVITY_TYPE_UPDATE_USER_PHONE_NUMBER: {
      intent: 'updateUserPhoneNumberIntent',
      result: 'updateUserPhoneNumberResult',
      parameters: v.strictObject({
        userId: uuid,
        userPhoneNumber: phoneNumber,
        verificationToken: v.exactOptional(text(16_384)),
      }),
    },
  },
  result: v.object({ userId: v.string() }),
});
