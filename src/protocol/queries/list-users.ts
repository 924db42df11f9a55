import * as v from 'valibot';
import { defineQuery } from '../activities/activity.ts';
import { uuid } from '../fields.ts';
import { user } from './objects.ts';

export const listUsers = defineQuery({
  name: 'list_users',
  summary: 'List the users of an organization',
  request: v.object({ organizationId: uuid }),
  response: v.object({ users: v.array(user) }),
});
