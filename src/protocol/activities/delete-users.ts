import * as v from 'valibot';
import { ids } from '../fields.ts';
import { defineActivity } from './activity.ts';

export const deleteUsers = defineActivity({
  name: 'delete_users',
  summary: 'Delete users with their credentials',
  versions: {
    ACTIVITY_TYPE_DELETE_USERS: {
      intent: 'deleteUsersIntent',
      result: 'deleteUsersResult',
      parameters: v.strictObject({ userIds: ids }),
    },
  },
  result: v.object({ userIds: v.array(v.string()) }),
});
