import * as v from 'valibot';
import { defineActivity } from './activity.ts';

export const deleteSubOrganization = defineActivity({
  name: 'delete_sub_organization',
  summary: 'Delete this sub-organization with all its keys',
  versions: {
    ACTIVITY_TYPE_DELETE_SUB_ORGANIZATION: {
      intent: 'deleteSubOrganizationIntent',
      result: 'deleteSubOrganizationResult',
      parameters: v.strictObject({ deleteWithoutExport: v.exactOptional(v.boolean()) }),
    },
  },
  result: v.object({ subOrganizationUuid: v.string() }),
});
