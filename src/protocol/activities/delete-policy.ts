import * as v from 'valibot';
import { uuid } from '../fields.ts';
import { defineActivity } from './activity.ts';

export const deletePolicy = defineActivity({
  name: 'delete_policy',
  summary: 'Delete a policy',
  versions: {
    ACTIVITY_TYPE_DELETE_POLICY: {
      intent: 'deletePolicyIntent',
      result: 'deletePolicyResult',
      parameters: v.strictObject({ policyId: uuid }),
    },
  },
  result: v.object({ policyId: v.string() }),
});
