import type { updateUserPhoneNumber } from '../../protocol/activities/update-user-phone-number.ts';
import type { Effect } from '../effect.ts';
import { refuseUnsupported } from './refusals.ts';
import { changeUser } from './users.ts';

export const updateUserPhoneNumberEffect: Effect<typeof updateUserPhoneNumber> = (context, parameters) => {
  refuseUnsupported(parameters.verificationToken, 'parameters.verificationToken', 'verification by one-time password');
  return changeUser(context, parameters.userId, { phoneNumber: parameters.userPhoneNumber });
};
