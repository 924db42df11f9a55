import * as v from 'valibot';
import { defineQuery } from '../activities/activity.ts';
import { uuid } from '../fields.ts';
import { authenticator } from './objects.ts';

export const getAuthenticator = defineQuery({
  name: 'get_authenticator',
  summary: 'Get a passkey',
  request: v.object({ organizationId: uuid, authenticatorId: uuid }),
  response: v.object({ authenticator }),
});
