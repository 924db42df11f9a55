import * as v from 'valibot';
import { defineQuery } from '../activities/activity.ts';
import { language } from '../activities/policy-fields.ts';
import { clauseName, problem } from './explanation.ts';
import { policyTexts } from './policy-texts.ts';

export const formatPolicy = defineQuery({
  name: 'format_policy',
  summary: 'Write the expressions of a policy in their canonical form',
  request: policyTexts,
  response: v.object({
    clauses: v.array(
      v.object({
        clause: clauseName,
        language,
        /** Absent where there are problems. */
        text: v.exactOptional(v.string()),
        /** There were comments, which the canonical form does not have. */
        commentsDropped: v.exactOptional(v.literal(true)),
        problems: v.array(problem),
      }),
    ),
  }),
});
