import * as v from 'valibot';
import { defineQuery } from '../activities/activity.ts';
import { uuid } from '../fields.ts';
import { authenticator } from './objects.ts';

export const getAuthenticators = defineQuery({
  name: 'get_authenticators',
  summary: 'List the passkeys of a user',
  request: v.object({ organizationId: uuid, userId: uuid }),
  response: v.object({ authenticators: v.array(authenticator) }),
});
