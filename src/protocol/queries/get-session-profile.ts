import * as v from 'valibot';
import { defineQuery } from '../activities/activity.ts';
import { uuid } from '../fields.ts';
import { sessionProfile } from './objects.ts';

export const getSessionProfile = defineQuery({
  name: 'get_session_profile',
  summary: 'Get a session profile of an organization or of its parent',
  request: v.object({ organizationId: uuid, sessionProfileId: uuid }),
  response: v.object({ sessionProfile }),
});
