import * as v from 'valibot';
import { defineQuery } from '../activities/activity.ts';
import { uuid } from '../fields.ts';
import { mfaPolicy } from './objects.ts';

export const getMfaPolicy = defineQuery({
  name: 'get_mfa_policy',
  summary: 'Get an MFA policy of a user',
  request: v.object({ organizationId: uuid, userId: uuid, mfaPolicyId: uuid }),
  response: v.object({ mfaPolicy }),
});
