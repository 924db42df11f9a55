import type { updateUserEmail } from '../../protocol/activities/update-user-email.ts';
import type { Effect } from '../effect.ts';
import { refuseUnsupported } from './refusals.ts';
import { changeUser } from './users.ts';

export const updateUserEmailEffect: Effect<typeof updateUserEmail> = (context, parameters) => {
  refuseUnsupported(parameters.verificationToken, 'parameters.verificationToken', 'verification by one-time password');
  return changeUser(context, parameters.userId, { email: parameters.userEmail });
};
