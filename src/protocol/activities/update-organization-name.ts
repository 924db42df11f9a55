import * as v from 'valibot';
import { label } from '../fields.ts';
import { defineActivity } from './activity.ts';

export const updateOrganizationName = defineActivity({
  name: 'update_organization_name',
  summary: 'Rename the organization',
  versions: {
    ACTIVITY_TYPE_UPDATE_ORGANIZATION_NAME: {
      intent: 'updateOrganizationNameIntent',
      result: 'updateOrganizationNameResult',
      parameters: v.strictObject({ organizationName: label }),
    },
  },
  result: v.object({ organizationId: v.string(), organizationName: v.string() }),
});
