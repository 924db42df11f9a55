import * as v from 'valibot';
import { defineQuery } from '../activities/activity.ts';
import { effectOrGuard, expression, language } from '../activities/policy-fields.ts';
import { integer, label, list, once, text, uuid } from '../fields.ts';
import { timestampSchema } from '../timestamps.ts';
import { decidingPart, factsOfNow } from './explanation.ts';
import { activityStatus } from './objects.ts';

const draftPolicy = v.object({
  /** Of a policy that there is, so that it is told by its id. */
  policyId: v.exactOptional(uuid),
  policyName: label,
  effect: effectOrGuard,
  condition: v.exactOptional(expression),
  consensus: v.exactOptional(expression),
  time: v.exactOptional(expression),
  language: v.exactOptional(language),
});

const unixMs = integer(0, 1e15);
const windowEntry = v.tuple([
  integer(0, 1e12),
  integer(0, 1e12),
  v.pipe(v.string(), v.regex(/^\d{1,100}$/, 'expected digits')),
]);

/** What the activities that were replayed so far add up to, for those that come after them. */
const past = v.object({
  /** Unix ms since when all is counted; 0: from the organization's first activity on. */
  since: unixMs,
  windows: v.record(text(9000), list(windowEntry, { max: 1000 })),
  last: v.record(text(9000), unixMs),
  destinations: list(text(200), { max: 10_000 }),
});

const side = v.object({
  outcome: v.picklist(['OUTCOME_ALLOW', 'OUTCOME_DENY_EXPLICIT', 'OUTCOME_DENY_IMPLICIT']),
  pending: v.boolean(),
  decidedBy: v.nullable(v.string()),
  reason: v.string(),
  /** What made it come out so; empty where nothing changes. */
  parts: v.array(decidingPart),
});

export const replayPolicies = defineQuery({
  name: 'replay_policies',
  summary: 'Tell what a draft of all policies would change about past activities',
  request: v.object({
    organizationId: uuid,
    /** All that there would be. */
    policies: list(draftPolicy),
    /** Oldest first, where policies ask about sums over time. */
    activityIds: v.pipe(list(uuid, { min: 1 }), once('expected each id once')),
    /** As the answer about the activities before them said. */
    past: v.exactOptional(past),
  }),
  response: v.object({
    activities: v.array(
      v.object({
        activityId: v.string(),
        type: v.string(),
        status: activityStatus,
        decidedAt: timestampSchema,
        /** What was decided when it was decided last, by the policies of then. */
        decision: v.object({ outcome: v.string(), decidedBy: v.nullable(v.string()) }),
        /** What the draft makes of it that the policies of now do not. */
        change: v.picklist(['none', 'denied', 'allowed', 'needs-approvals', 'unknown']),
        /** By the policies of now and by the draft; absent where they cannot be asked. */
        before: v.exactOptional(side),
        after: v.exactOptional(side),
        factsOfNow,
        /** Why it is not known. */
        problem: v.exactOptional(v.string()),
      }),
    ),
    /** Those that there was no time for: to be asked for next. */
    remaining: v.array(v.string()),
    past,
  }),
});
