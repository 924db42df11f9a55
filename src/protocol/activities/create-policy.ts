import * as v from 'valibot';
import { defineActivity } from './activity.ts';
import { policy, policyV1, policyV2 } from './policy-fields.ts';

export const createPolicy = defineActivity({
  name: 'create_policy',
  summary: 'Create a policy',
  versions: {
    ACTIVITY_TYPE_CREATE_POLICY: {
      intent: 'createPolicyIntent',
      result: 'createPolicyResult',
      parameters: policyV1,
    },
    ACTIVITY_TYPE_CREATE_POLICY_V2: {
      intent: 'createPolicyIntentV2',
      result: 'createPolicyResult',
      parameters: policyV2,
    },
    ACTIVITY_TYPE_CREATE_POLICY_V3: {
      intent: 'createPolicyIntentV3',
      result: 'createPolicyResult',
      parameters: policy,
    },
  },
  result: v.object({ policyId: v.string() }),
});
