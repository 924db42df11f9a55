import * as v from 'valibot';
import { defineQuery } from '../activities/activity.ts';
import { uuid } from '../fields.ts';
import { privateKey } from './objects.ts';

export const getPrivateKey = defineQuery({
  name: 'get_private_key',
  summary: 'Get a private key',
  request: v.object({ organizationId: uuid, privateKeyId: uuid }),
  response: v.object({ privateKey }),
});
