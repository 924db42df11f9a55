import * as v from 'valibot';
import { defineQuery } from '../activities/activity.ts';
import { uuid } from '../fields.ts';
import { timestampSchema } from '../timestamps.ts';
import { policyEvaluation } from './explanation.ts';

export const getPolicyEvaluations = defineQuery({
  name: 'get_policy_evaluations',
  summary: 'Get what the policies say about an activity, vote by vote',
  request: v.object({ organizationId: uuid, activityId: uuid }),
  response: v.object({
    policyEvaluations: v.array(
      v.object({
        id: v.string(),
        activityId: v.string(),
        organizationId: v.string(),
        voteId: v.string(),
        policyEvaluations: v.array(policyEvaluation),
        createdAt: timestampSchema,
      }),
    ),
    /** The policies are no longer those that decided: the outcomes are of those of now. */
    policiesChanged: v.exactOptional(v.literal(true)),
  }),
});
