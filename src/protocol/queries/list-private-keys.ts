import * as v from 'valibot';
import { defineQuery } from '../activities/activity.ts';
import { uuid } from '../fields.ts';
import { privateKey } from './objects.ts';

export const listPrivateKeys = defineQuery({
  name: 'list_private_keys',
  summary: 'List the private keys of an organization',
  request: v.object({ organizationId: uuid }),
  response: v.object({ privateKeys: v.array(privateKey) }),
});
