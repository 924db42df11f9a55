import * as v from 'valibot';
import { list } from '../fields.ts';
import { defineActivity } from './activity.ts';
import { apiOnlyUser } from './credential-fields.ts';

export const createApiOnlyUsers = defineActivity({
  name: 'create_api_only_users',
  summary: 'Create users that have API keys and no passkeys',
  versions: {
    ACTIVITY_TYPE_CREATE_API_ONLY_USERS: {
      intent: 'createApiOnlyUsersIntent',
      result: 'createApiOnlyUsersResult',
      parameters: v.strictObject({ apiOnlyUsers: list(apiOnlyUser, { min: 1 }) }),
    },
  },
  result: v.object({ userIds: v.array(v.string()) }),
});
