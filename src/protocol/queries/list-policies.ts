import * as v from 'valibot';
import { defineQuery } from '../activities/activity.ts';
import { uuid } from '../fields.ts';
import { policy } from './objects.ts';

export const listPolicies = defineQuery({
  name: 'list_policies',
  summary: 'List the policies of an organization',
  request: v.object({ organizationId: uuid }),
  response: v.object({ policies: v.array(policy) }),
});
