import * as v from 'valibot';
import { uuid } from '../fields.ts';
import { defineActivity } from './activity.ts';

export const deleteMfaPolicy = defineActivity({
  name: 'delete_mfa_policy',
  summary: 'Delete an MFA policy of a user',
  versions: {
    ACTIVITY_TYPE_DELETE_MFA_POLICY: {
      intent: 'deleteMfaPolicyIntent',
      result: 'deleteMfaPolicyResult',
      parameters: v.strictObject({ userId: uuid, mfaPolicyId: uuid }),
    },
  },
  result: v.object({ mfaPolicyId: v.string() }),
});
