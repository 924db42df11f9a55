import type { listActivities } from '../../protocol/queries/list-activities.ts';
import type { ActivityObject } from '../../protocol/queries/objects.ts';
import type { Answer } from '../answer.ts';

/** The database filters by hints; what it says is looked at again. */
export const listActivitiesAnswer: Answer<typeof listActivities> = async ({ activities }, request) => {
  const { filterByType: types = [], filterByStatus: statuses = [], paginationOptions } = request;
  const found = (await activities.list({ ...paginationOptions, types, statuses })) as ActivityObject[];
  const isMeant = ({ type, status }: ActivityObject) =>
    (types.length === 0 || types.includes(type)) && (statuses.length === 0 || statuses.includes(status));
  return { activities: found.filter(isMeant) };
};
