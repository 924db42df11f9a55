import * as v from 'valibot';
import { ids } from '../fields.ts';
import { defineActivity } from './activity.ts';

export const deletePolicies = defineActivity({
  name: 'delete_policies',
  summary: 'Delete several policies, all or none',
  versions: {
    ACTIVITY_TYPE_DELETE_POLICIES: {
      intent: 'deletePoliciesIntent',
      result: 'deletePoliciesResult',
      parameters: v.strictObject({ policyIds: ids }),
    },
  },
  result: v.object({ policyIds: v.array(v.string()) }),
});
