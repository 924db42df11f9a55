import * as v from 'valibot';
import { defineQuery } from '../activities/activity.ts';
import { language } from '../activities/policy-fields.ts';
import { clauseName, place, problem } from './explanation.ts';
import { policyTexts } from './policy-texts.ts';

export const checkPolicy = defineQuery({
  name: 'check_policy',
  summary: 'Check the expressions of a policy: types, cost and common holes',
  request: policyTexts,
  response: v.object({
    valid: v.boolean(),
    clauses: v.array(
      v.object({
        clause: clauseName,
        /** Of the text, or of the front end that got further with it. */
        language,
        /** Bound on the steps of one evaluation; absent where there are problems. */
        cost: v.exactOptional(v.number()),
        problems: v.array(problem),
      }),
    ),
    warnings: v.array(
      v.object({
        rule: v.string(),
        clause: clauseName,
        message: v.string(),
        ...place,
        text: v.string(),
        suggestion: v.exactOptional(v.string()),
      }),
    ),
  }),
});
