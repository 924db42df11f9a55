import * as v from 'valibot';
import { defineActivity } from './activity.ts';
import { featureName, featuresResult } from './feature-fields.ts';

export const removeOrganizationFeature = defineActivity({
  name: 'remove_organization_feature',
  summary: 'Remove a feature of the organization',
  versions: {
    ACTIVITY_TYPE_REMOVE_ORGANIZATION_FEATURE: {
      intent: 'removeOrganizationFeatureIntent',
      result: 'removeOrganizationFeatureResult',
      parameters: v.strictObject({ name: featureName }),
    },
  },
  result: featuresResult,
});
