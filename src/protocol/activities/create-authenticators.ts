import * as v from 'valibot';
import { list, uuid } from '../fields.ts';
import { defineActivity } from './activity.ts';
import { authenticator, authenticatorV1, ofAuthenticatorV1 } from './credential-fields.ts';

export const createAuthenticators = defineActivity({
  name: 'create_authenticators',
  summary: 'Add passkeys to a user',
  versions: {
    ACTIVITY_TYPE_CREATE_AUTHENTICATORS: {
      intent: 'createAuthenticatorsIntent',
      result: 'createAuthenticatorsResult',
      parameters: v.pipe(
        v.strictObject({ userId: uuid, authenticators: list(authenticatorV1, { min: 1 }) }),
        v.check(
          ({ userId, authenticators }) => authenticators.every((given) => given.userId.toLowerCase() === userId),
          'expected all authenticators to be for the same user',
        ),
        v.transform(({ userId, authenticators }) => ({
          userId,
          authenticators: authenticators.map(ofAuthenticatorV1),
        })),
      ),
    },
    ACTIVITY_TYPE_CREATE_AUTHENTICATORS_V2: {
      intent: 'createAuthenticatorsIntentV2',
      result: 'createAuthenticatorsResult',
      parameters: v.strictObject({ userId: uuid, authenticators: list(authenticator, { min: 1 }) }),
    },
  },
  result: v.object({ authenticatorIds: v.array(v.string()) }),
});
