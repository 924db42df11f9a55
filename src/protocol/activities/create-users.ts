import * as v from 'valibot';
import { list } from '../fields.ts';
import { defineActivity } from './activity.ts';
import { user, userV1, userV2, userV3 } from './credential-fields.ts';

const users = <T extends v.GenericSchema>(element: T) => v.strictObject({ users: list(element, { min: 1 }) });

export const createUsers = defineActivity({
  name: 'create_users',
  summary: 'Create users with their credentials',
  versions: {
    ACTIVITY_TYPE_CREATE_USERS: {
      intent: 'createUsersIntent',
      result: 'createUsersResult',
      parameters: users(userV1),
    },
    ACTIVITY_TYPE_CREATE_USERS_V2: {
      intent: 'createUsersIntentV2',
      result: 'createUsersResult',
      parameters: users(userV2),
    },
    ACTIVITY_TYPE_CREATE_USERS_V3: {
      intent: 'createUsersIntentV3',
      result: 'createUsersResult',
      parameters: users(userV3),
    },
    ACTIVITY_TYPE_CREATE_USERS_V4: {
      intent: 'createUsersIntentV4',
      result: 'createUsersResult',
      parameters: users(user),
    },
  },
  result: v.object({ userIds: v.array(v.string()) }),
});
