import * as v from 'valibot';
import { defineQuery } from '../activities/activity.ts';
import { uuid } from '../fields.ts';
import { authenticationMethod, requiredAuthenticationMethods } from './objects.ts';

export const getMfaStatus = defineQuery({
  name: 'get_mfa_status',
  summary: 'Tell which authenticators an activity still needs of those who voted',
  request: v.object({ organizationId: uuid, activityId: uuid, userId: v.exactOptional(uuid) }),
  response: v.object({
    mfaStatuses: v.array(
      v.object({
        mfaPolicyId: v.string(),
        userId: v.string(),
        satisfied: v.boolean(),
        satisfiedMethods: v.array(authenticationMethod),
        requiredMethods: requiredAuthenticationMethods,
      }),
    ),
  }),
});
