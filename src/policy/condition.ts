/** A condition that stands alone, outside of a policy: when a user needs more authenticators, what a session is good for. */
import { policyOutcomes } from './decide-policies.ts';
import { renderProblem } from './errors.ts';
import { compilePolicy, createPolicySet, InvalidPolicyError, type PolicySet } from './policy-set.ts';
import type { Facts } from './values.ts';
import type { Window } from './windows.ts';

export type Condition = {
  /** Of one policy that denies where the condition holds. */
  readonly set: PolicySet;
  /** What it asks about the past. */
  readonly windows: readonly Window[];
};

/** In Turnkey's language where the text is an expression of it, otherwise in CEL. Throws `InvalidPolicyError`. */
export function compileCondition(source: string): Condition {
  const set = createPolicySet([compilePolicy({ id: 'condition', effect: 'EFFECT_DENY', condition: source })]);
  return { set, windows: set.windows };
}

/** Of which an organization may have hundreds. */
const maxCost = 50_000;

/** What is wrong with a text, for people; null where nothing is. */
export function conditionProblem(source: string): string | null {
  try {
    const { cost } = compileCondition(source).set;
    return cost > maxCost ? `the condition may take ${cost} steps, at most ${maxCost}` : null;
  } catch (error) {
    if (!(error instanceof InvalidPolicyError)) throw error;
    const [problem] = error.cause.problems;
    return problem ? renderProblem(source, problem) : error.cause.message;
  }
}

/** Whether it is true, and nothing else: no error is. */
export const holds = (condition: Condition, facts: Facts): boolean =>
  outcomeOf(condition, facts)?.outcome === 'OUTCOME_DENY_EXPLICIT';

/** Whether it is true, or cannot be told for another reason than that the activity lacks what it names. */
export const mayHold = (condition: Condition, facts: Facts): boolean => outcomeOf(condition, facts)?.denies ?? true;

const outcomeOf = ({ set }: Condition, facts: Facts) => policyOutcomes(set, requestOf(facts))[0];

const requestOf = (facts: Facts) => ({
  kind: '',
  facts,
  initiatorId: '',
  rootQuorum: { threshold: 0, userIds: [] },
});
