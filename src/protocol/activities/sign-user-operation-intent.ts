import * as v from 'valibot';
import { list } from '../fields.ts';
import { defineActivity } from './activity.ts';
import { ethereumAddress } from './smart-account-fields.ts';
import { operationForm, signedOperation, wei } from './user-operation-fields.ts';

/**
 * The user stamps calls and limits; gas and paymaster, which change until the operation is sent, come beside the stamped
 * body in the header `X-Countersign-Completion` (JSON in base64url) and have to keep within the limits.
 */
export const signUserOperationIntent = defineActivity({
  name: 'sign_user_operation_intent',
  summary: 'Sign a user operation whose gas and paymaster are filled in after the stamp, within stamped limits',
  versions: {
    ACTIVITY_TYPE_SIGN_USER_OPERATION_INTENT: {
      intent: 'signUserOperationIntentIntent',
      result: 'signUserOperationIntentResult',
      parameters: v.strictObject({
        ...operationForm,
        limits: v.strictObject({
          /** All gas limits times the highest fee, in decimal wei. */
          maxCost: wei,
          /** Unix seconds after which nothing is signed. */
          validUntil: v.pipe(v.string(), v.regex(/^\d{1,14}$/, 'expected Unix seconds in decimal digits')),
          /** Who may sponsor it; none: nobody. */
          paymasters: list(ethereumAddress, { max: 16 }),
        }),
      }),
    },
  },
  result: signedOperation,
});
