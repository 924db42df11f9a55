import * as v from 'valibot';
import { defineQuery } from '../activities/activity.ts';
import { uuid } from '../fields.ts';
import { sessionProfile } from './objects.ts';

export const getSessionProfiles = defineQuery({
  name: 'get_session_profiles',
  summary: 'List the session profiles of an organization and of its parent',
  request: v.object({ organizationId: uuid }),
  response: v.object({ sessionProfiles: v.array(sessionProfile) }),
});
