import * as v from 'valibot';
import { emptyIds, label } from '../fields.ts';
import { defineActivity } from './activity.ts';

export const createUserTag = defineActivity({
  name: 'create_user_tag',
  summary: 'Create a tag and give it to users',
  versions: {
    ACTIVITY_TYPE_CREATE_USER_TAG: {
      intent: 'createUserTagIntent',
      result: 'createUserTagResult',
      parameters: v.strictObject({ userTagName: label, userIds: emptyIds }),
    },
  },
  result: v.object({ userTagId: v.string(), userIds: v.array(v.string()) }),
});
