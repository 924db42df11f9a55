/** Policies as they come in. */
import * as v from 'valibot';
import { emptyList, integer, label, list, text } from '../fields.ts';

export const effect = v.picklist(['EFFECT_ALLOW', 'EFFECT_DENY']);
/** A guard binds everybody, the root quorum included, and is not loosened before its delay has passed (DESIGN §6). */
export const effectOrGuard = v.picklist(['EFFECT_ALLOW', 'EFFECT_DENY', 'EFFECT_GUARD']);
/** At most 90 days. */
export const delaySeconds = integer(0, 90 * 24 * 60 * 60);
export const expression = text(8192);
/** Of all expressions of a policy; absent: Turnkey's where a text is an expression of it, otherwise CEL. */
export const language = v.picklist(['turnkey', 'cel']);
export const notes = text(2048);

const named = { policyName: label, effect };

/** `CreatePolicyIntentV3`. Older clients leave `notes` out. */
export const policy = v.strictObject({
  ...named,
  effect: effectOrGuard,
  condition: v.exactOptional(expression),
  consensus: v.exactOptional(expression),
  notes: v.exactOptional(notes, ''),
  time: v.exactOptional(expression),
  language: v.exactOptional(language),
  delaySeconds: v.exactOptional(delaySeconds),
});

/** What effects get from every version; `selectors` are of those before there were expressions. */
export type PolicyParameters = v.InferOutput<typeof policy> & { selectors?: unknown[] };

const operator = v.picklist([
  'OPERATOR_EQUAL',
  'OPERATOR_MORE_THAN',
  'OPERATOR_MORE_THAN_OR_EQUAL',
  'OPERATOR_LESS_THAN',
  'OPERATOR_LESS_THAN_OR_EQUAL',
  'OPERATOR_CONTAINS',
  'OPERATOR_NOT_EQUAL',
  'OPERATOR_IN',
  'OPERATOR_NOT_IN',
  'OPERATOR_CONTAINS_ONE',
  'OPERATOR_CONTAINS_ALL',
]);
const selector = { subject: v.exactOptional(text(255)), operator: v.exactOptional(operator) };
const withSelectors = <T extends v.GenericSchema>(element: T) =>
  v.strictObject({ ...named, selectors: emptyList(element), notes: v.exactOptional(notes, '') });

/** `CreatePolicyIntent` and `CreatePolicyIntentV2`. */
export const policyV1 = withSelectors(v.strictObject({ ...selector, target: v.exactOptional(text(2048)) }));
export const policyV2 = withSelectors(v.strictObject({ ...selector, targets: v.exactOptional(list(text(2048))) }));
