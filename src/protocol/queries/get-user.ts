import * as v from 'valibot';
import { defineQuery } from '../activities/activity.ts';
import { uuid } from '../fields.ts';
import { user } from './objects.ts';

export const getUser = defineQuery({
  name: 'get_user',
  summary: 'Get a user',
  request: v.object({ organizationId: uuid, userId: uuid }),
  response: v.object({ user }),
});
