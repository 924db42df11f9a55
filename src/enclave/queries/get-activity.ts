import type { getActivity } from '../../protocol/queries/get-activity.ts';
import type { ActivityObject } from '../../protocol/queries/objects.ts';
import { notFound } from '../activities/refusals.ts';
import type { Answer } from '../answer.ts';

export const getActivityAnswer: Answer<typeof getActivity> = async ({ activities }, request) => {
  const activity = await activities.get(request.activityId);
  if (!activity) throw notFound('activityId', 'activity', request.activityId);
  return { activity: activity as ActivityObject };
};
