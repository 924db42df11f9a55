import * as v from 'valibot';
import { uuid } from '../fields.ts';
import { defineActivity, type Parameters } from './activity.ts';
import { mfaPolicyFields } from './mfa-fields.ts';

export const updateMfaPolicy = defineActivity({
  name: 'update_mfa_policy',
  summary: 'Update an MFA policy of a user; what is left out stays',
  versions: {
    ACTIVITY_TYPE_UPDATE_MFA_POLICY: {
      intent: 'updateMfaPolicyIntent',
      result: 'updateMfaPolicyResult',
      parameters: v.strictObject({
        userId: uuid,
        mfaPolicyId: uuid,
        mfaPolicyName: v.exactOptional(mfaPolicyFields.mfaPolicyName),
        condition: v.exactOptional(mfaPolicyFields.condition),
        requiredAuthenticationMethods: v.exactOptional(mfaPolicyFields.requiredAuthenticationMethods),
        order: v.exactOptional(mfaPolicyFields.order),
        notes: v.exactOptional(mfaPolicyFields.notes),
      }),
    },
  },
  result: v.object({ mfaPolicyId: v.string() }),
});

export type MfaPolicyUpdate = Parameters<typeof updateMfaPolicy>;
