import * as v from 'valibot';
import { defineQuery } from '../activities/activity.ts';
import { list, text, uuid } from '../fields.ts';
import { activity, activityStatus } from './objects.ts';
import { paginationOptions } from './pagination.ts';

export const listActivities = defineQuery({
  name: 'list_activities',
  summary: 'List activities, newest first',
  request: v.object({
    organizationId: uuid,
    filterByStatus: v.exactOptional(list(activityStatus)),
    filterByType: v.exactOptional(list(text(100), { max: 300 })),
    paginationOptions,
  }),
  response: v.object({ activities: v.array(activity) }),
});
