import * as v from 'valibot';
import { defineQuery } from '../activities/activity.ts';
import { uuid } from '../fields.ts';
import { features, quorum } from './objects.ts';

export const getOrganizationConfigs = defineQuery({
  name: 'get_organization_configs',
  summary: 'Get the features and the root quorum of an organization',
  request: v.object({ organizationId: uuid }),
  response: v.object({ configs: v.object({ features, quorum }) }),
});
