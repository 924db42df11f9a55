import * as v from 'valibot';
import { defineQuery } from '../activities/activity.ts';
import { uuid } from '../fields.ts';
import { mfaPolicy } from './objects.ts';

export const getMfaPolicies = defineQuery({
  name: 'get_mfa_policies',
  summary: 'List the MFA policies of a user, in the order in which they are asked',
  request: v.object({ organizationId: uuid, userId: uuid }),
  response: v.object({ mfaPolicies: v.array(mfaPolicy) }),
});
