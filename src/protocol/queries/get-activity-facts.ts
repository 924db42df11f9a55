import * as v from 'valibot';
import { defineQuery } from '../activities/activity.ts';
import { uuid } from '../fields.ts';
import { factsOfNow } from './explanation.ts';
import { activityStatus, quorum } from './objects.ts';

const anything = v.record(v.string(), v.unknown());

export const getActivityFacts = defineQuery({
  name: 'get_activity_facts',
  summary: 'Get what policies are told of an activity, as cases for `policy test`',
  request: v.object({ organizationId: uuid, activityId: uuid }),
  response: v.object({
    activityId: v.string(),
    status: activityStatus,
    /** One for each thing that the activity signs; every one has to be allowed. */
    cases: v.array(
      v.object({ facts: anything, approvers: v.array(anything), credentials: v.array(anything), rootQuorum: quorum }),
    ),
    factsOfNow,
  }),
});
