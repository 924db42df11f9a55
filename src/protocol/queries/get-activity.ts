import * as v from 'valibot';
import { defineQuery } from '../activities/activity.ts';
import { uuid } from '../fields.ts';
import { activity } from './objects.ts';

export const getActivity = defineQuery({
  name: 'get_activity',
  summary: 'Get an activity',
  request: v.object({ organizationId: uuid, activityId: uuid }),
  response: v.object({ activity }),
});
