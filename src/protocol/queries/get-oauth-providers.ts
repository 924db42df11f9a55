import * as v from 'valibot';
import { defineQuery } from '../activities/activity.ts';
import { uuid } from '../fields.ts';
import { oauthProvider } from './objects.ts';

export const getOauthProviders = defineQuery({
  name: 'get_oauth_providers',
  summary: 'List the OIDC logins of a user, or of all users',
  request: v.object({ organizationId: uuid, userId: v.exactOptional(uuid) }),
  response: v.object({ oauthProviders: v.array(oauthProvider) }),
});
