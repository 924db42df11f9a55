import * as v from 'valibot';
import { defineQuery } from '../activities/activity.ts';
import { uuid } from '../fields.ts';
import { tag } from './objects.ts';

export const listUserTags = defineQuery({
  name: 'list_user_tags',
  summary: 'List the tags of an organization that users can have',
  request: v.object({ organizationId: uuid }),
  response: v.object({ userTags: v.array(tag) }),
});
