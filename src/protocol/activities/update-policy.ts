import * as v from 'valibot';
import { label, uuid } from '../fields.ts';
import { defineActivity } from './activity.ts';
import { delaySeconds, effect, effectOrGuard, expression, language, notes } from './policy-fields.ts';

const v1 = v.strictObject({
  policyId: uuid,
  policyName: v.exactOptional(label),
  policyEffect: v.exactOptional(effect),
  policyCondition: v.exactOptional(expression),
  policyConsensus: v.exactOptional(expression),
  policyNotes: v.exactOptional(notes),
});
const v2 = v.strictObject({
  ...v1.entries,
  time: v.exactOptional(expression),
  language: v.exactOptional(language),
  policyEffect: v.exactOptional(effectOrGuard),
  delaySeconds: v.exactOptional(delaySeconds),
});

export type PolicyUpdate = v.InferOutput<typeof v2>;

export const updatePolicy = defineActivity({
  name: 'update_policy',
  summary: 'Update a policy; what is left out stays',
  versions: {
    ACTIVITY_TYPE_UPDATE_POLICY: {
      intent: 'updatePolicyIntent',
      result: 'updatePolicyResult',
      parameters: v1,
    },
    ACTIVITY_TYPE_UPDATE_POLICY_V2: {
      intent: 'updatePolicyIntentV2',
      result: 'updatePolicyResultV2',
      parameters: v2,
    },
  },
  result: v.object({ policyId: v.string() }),
});
