import * as v from 'valibot';
import { defineQuery } from '../activities/activity.ts';
import { uuid } from '../fields.ts';
import { policy } from './objects.ts';

export const getPolicy = defineQuery({
  name: 'get_policy',
  summary: 'Get a policy',
  request: v.object({ organizationId: uuid, policyId: uuid }),
  response: v.object({ policy }),
});
