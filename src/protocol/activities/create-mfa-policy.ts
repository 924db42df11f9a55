import * as v from 'valibot';
import { uuid } from '../fields.ts';
import { defineActivity, type Parameters } from './activity.ts';
import { mfaPolicyFields } from './mfa-fields.ts';

export const createMfaPolicy = defineActivity({
  name: 'create_mfa_policy',
  summary: 'Require several authenticators of a user',
  versions: {
    ACTIVITY_TYPE_CREATE_MFA_POLICY: {
      intent: 'createMfaPolicyIntent',
      result: 'createMfaPolicyResult',
      parameters: v.strictObject({
        userId: uuid,
        ...mfaPolicyFields,
        notes: v.exactOptional(mfaPolicyFields.notes),
      }),
    },
  },
  result: v.object({ mfaPolicyId: v.string() }),
});

export type MfaPolicyCreation = Parameters<typeof createMfaPolicy>;
