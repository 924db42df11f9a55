import * as v from 'valibot';
import { text } from '../fields.ts';
import { defineActivity } from './activity.ts';
import { featureName, featuresResult } from './feature-fields.ts';

export const setOrganizationFeature = defineActivity({
  name: 'set_organization_feature',
  summary: 'Set a feature of the organization',
  versions: {
    ACTIVITY_TYPE_SET_ORGANIZATION_FEATURE: {
      intent: 'setOrganizationFeatureIntent',
      result: 'setOrganizationFeatureResult',
      parameters: v.strictObject({ name: featureName, value: v.exactOptional(text(8192), '') }),
    },
  },
  result: featuresResult,
});
