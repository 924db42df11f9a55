import * as v from 'valibot';
import { integer, list, uuid } from '../fields.ts';
import { defineActivity } from './activity.ts';

export const updateRootQuorum = defineActivity({
  name: 'update_root_quorum',
  summary: 'Set who is in the root quorum and how many of them have to approve',
  versions: {
    ACTIVITY_TYPE_UPDATE_ROOT_QUORUM: {
      intent: 'updateRootQuorumIntent',
      result: 'updateRootQuorumResult',
      parameters: v.strictObject({
        threshold: integer(1, 100, 'quorum threshold must be non-zero integer'),
        userIds: list(uuid),
      }),
    },
  },
  result: v.object({}),
});
