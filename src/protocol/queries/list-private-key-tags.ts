import * as v from 'valibot';
import { defineQuery } from '../activities/activity.ts';
import { uuid } from '../fields.ts';
import { tag } from './objects.ts';

export const listPrivateKeyTags = defineQuery({
  name: 'list_private_key_tags',
  summary: 'List the tags of an organization that private keys can have',
  request: v.object({ organizationId: uuid }),
  response: v.object({ privateKeyTags: v.array(tag) }),
});
