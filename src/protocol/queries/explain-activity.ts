import * as v from 'valibot';
import { defineQuery } from '../activities/activity.ts';
import { targetActivity } from '../activities/vote-fields.ts';
import { uuid } from '../fields.ts';
import { explanation, factsOfNow } from './explanation.ts';
import { activityStatus } from './objects.ts';

export const explainActivity = defineQuery({
  name: 'explain_activity',
  summary: 'Explain what was decided about an activity, and what the policies of now say about it',
  request: v.pipe(
    v.object({
      organizationId: uuid,
      activityId: v.exactOptional(uuid),
      fingerprint: v.exactOptional(targetActivity.entries.fingerprint),
    }),
    v.check(
      ({ activityId, fingerprint }) => (activityId === undefined) !== (fingerprint === undefined),
      'expected either activityId or fingerprint',
    ),
  ),
  response: v.object({
    activityId: v.string(),
    status: activityStatus,
    /** What was decided, and by which policy or rule, when it was decided last. */
    decision: v.object({ outcome: v.string(), decidedBy: v.nullable(v.string()) }),
    /** The policies are no longer those that decided: the explanation is about those of now. */
    policiesChanged: v.boolean(),
    /** Of the votes that there are and the policies of now; null where they cannot be asked any more, and then why. */
    explanation: v.nullable(v.object(explanation)),
    problem: v.exactOptional(v.string()),
    factsOfNow,
  }),
});
