import * as v from 'valibot';
import { list } from '../fields.ts';
import { defineActivity } from './activity.ts';
import { policy } from './policy-fields.ts';

export const createPolicies = defineActivity({
  name: 'create_policies',
  summary: 'Create several policies, all or none',
  versions: {
    ACTIVITY_TYPE_CREATE_POLICIES: {
      intent: 'createPoliciesIntent',
      result: 'createPoliciesResult',
      parameters: v.strictObject({ policies: list(policy, { min: 1 }) }),
    },
  },
  result: v.object({ policyIds: v.array(v.string()) }),
});
