import * as v from 'valibot';
import { expirationSeconds, label } from '../fields.ts';
import { defineActivity } from './activity.ts';
import { condition, shortNotes } from './mfa-fields.ts';

export const createSessionProfile = defineActivity({
  name: 'create_session_profile',
  summary: 'Define what sessions may be good for; a profile never changes',
  versions: {
    ACTIVITY_TYPE_CREATE_SESSION_PROFILE: {
      intent: 'createSessionProfileIntent',
      result: 'createSessionProfileResult',
      parameters: v.strictObject({
        sessionProfileName: label,
        scope: condition,
        expirationSeconds: v.exactOptional(expirationSeconds),
        notes: v.exactOptional(shortNotes),
      }),
    },
  },
  result: v.object({ sessionProfileId: v.string() }),
});
