/** Why something was decided as it was: the parts of an explanation as they are answered. */
import * as v from 'valibot';
import { effectOrGuard } from '../activities/policy-fields.ts';

export const outcome = v.picklist([
  'OUTCOME_ALLOW',
  'OUTCOME_DENY_EXPLICIT',
  'OUTCOME_DENY_IMPLICIT',
  'OUTCOME_REQUIRES_CONSENSUS',
  'OUTCOME_ERROR',
  'OUTCOME_TIME_INACTIVE',
]);

export const clauseName = v.picklist(['condition', 'consensus', 'time']);

/** A place in an expression: UTF-16 units, line and column from 1. */
export const place = {
  span: v.object({ start: v.number(), end: v.number() }),
  line: v.number(),
  column: v.number(),
};

const blamedPart = {
  text: v.string(),
  ...place,
  elements: v.array(v.number()),
  value: v.exactOptional(v.boolean()),
  error: v.exactOptional(v.object({ code: v.string(), message: v.string() })),
  seen: v.array(v.object({ text: v.string(), value: v.unknown() })),
  items: v.exactOptional(v.number()),
};

/** A sub-expression that decided, and where it stands. */
export const decidingPart = v.object({ policyId: v.string(), clause: clauseName, ...blamedPart });

/** Facts that may have been others at the time: those of now stand in their place. `others` are those who could still approve. */
export const factsOfNow = v.array(
  v.picklist([
    'policies',
    'approvers',
    'organization',
    'wallet',
    'wallet_account',
    'private_key',
    'interfaces',
    'smart_accounts',
    'history',
    'others',
  ]),
);

export const policyExplanation = v.object({
  policyId: v.string(),
  policyName: v.string(),
  effect: effectOrGuard,
  outcome,
  denies: v.boolean(),
  clauses: v.array(
    v.object({
      clause: clauseName,
      language: v.picklist(['turnkey', 'cel']),
      value: v.nullable(v.boolean()),
      blamed: v.array(v.object(blamedPart)),
    }),
  ),
});

export const explanation = {
  outcome: v.picklist(['OUTCOME_ALLOW', 'OUTCOME_DENY_EXPLICIT', 'OUTCOME_DENY_IMPLICIT']),
  pending: v.boolean(),
  decidedBy: v.nullable(v.string()),
  reason: v.string(),
  policies: v.array(policyExplanation),
  text: v.string(),
};

export const policyEvaluation = v.object({ policyId: v.string(), outcome });

/** A mistake in a policy's text. */
export const problem = v.object({
  message: v.string(),
  ...place,
  /** The message with the line and carets under the place. */
  text: v.string(),
  expected: v.exactOptional(v.string()),
  suggestion: v.exactOptional(v.string()),
});
