import * as v from 'valibot';
import { ids, uuid } from '../fields.ts';
import { defineActivity } from './activity.ts';

export const deleteAuthenticators = defineActivity({
  name: 'delete_authenticators',
  summary: 'Delete passkeys of a user',
  versions: {
    ACTIVITY_TYPE_DELETE_AUTHENTICATORS: {
      intent: 'deleteAuthenticatorsIntent',
      result: 'deleteAuthenticatorsResult',
      parameters: v.strictObject({ userId: uuid, authenticatorIds: ids }),
    },
  },
  result: v.object({ authenticatorIds: v.array(v.string()) }),
});
