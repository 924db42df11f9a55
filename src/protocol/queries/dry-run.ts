import * as v from 'valibot';
import { defineQuery } from '../activities/activity.ts';
import { text, uuid } from '../fields.ts';
import { decidingPart, explanation, policyEvaluation } from './explanation.ts';

/**
 * What would be submitted stands in a member of its own: a body with `type` and `parameters` at its top could itself be
 * submitted by whoever passes it on.
 */
export const dryRun = defineQuery({
  name: 'dry_run',
  summary: 'Tell whether an activity would be allowed to the caller, without carrying it out',
  request: v.object({
    organizationId: uuid,
    activity: v.object({ type: text(100), parameters: v.record(v.string(), v.unknown()) }),
  }),
  response: v.object({
    allowed: v.boolean(),
    ...explanation,
    policyEvaluations: v.array(policyEvaluation),
    /** For each policy that is in the way the first sub-expression that is, with the values seen. */
    unmet: v.array(decidingPart),
    /** Seconds that it would wait although it is allowed, because it loosens a guard. */
    delaySeconds: v.number(),
  }),
});
