/** One policy on one request. A policy applies where condition, consensus and time all hold. */
import { canBecome, type Prospect } from './approvals.ts';
import { EvaluationError } from './errors.ts';
import { fail, failure } from './evaluation.ts';
import { namespaceName } from './namespaces.ts';
import type { Clause, ClauseName, Policy } from './policy-set.ts';
import type { Facts } from './values.ts';

/** Turnkey's names of what becomes of one policy. */
export type Outcome =
  | 'OUTCOME_ALLOW'
  | 'OUTCOME_DENY_EXPLICIT'
  | 'OUTCOME_DENY_IMPLICIT'
  | 'OUTCOME_REQUIRES_CONSENSUS'
  | 'OUTCOME_ERROR'
  | 'OUTCOME_TIME_INACTIVE';

export type PolicyOutcome = {
  readonly policyId: string;
  readonly outcome: Outcome;
  /** The clause that could not be evaluated, and why. */
  readonly error?: { readonly clause: ClauseName; readonly error: EvaluationError };
  /** The policy denies, be it by an error. */
  readonly denies: boolean;
};

/** Whether an allow applies: no error ever does. */
export const applies = (policy: Policy, facts: Facts, absent: number): boolean =>
  isMet(policy, facts, absent) && isAgreed(policy, facts);

/** Whether condition and time hold; `known` is what the condition is, where that is known. */
export const isMet = ({ condition, time, needs }: Policy, facts: Facts, absent: number, known?: boolean): boolean =>
  (needs & absent) === 0 && (known ?? test(condition, facts)) === true && test(time, facts) === true;

/** Whether those have approved whom the policy asks for. */
export const isAgreed = ({ consensus }: Policy, facts: Facts): boolean => test(consensus, facts) === true;

/** Undefined for an error; `failure` says which. */
function test(clause: Clause | null, facts: Facts): boolean | undefined {
  if (clause === null) return true;
  try {
    const value = clause.code(facts);
    return value === undefined ? undefined : value === true;
  } catch (error) {
    return fail(asEvaluationError(error, clause));
  }
}

const asEvaluationError = (error: unknown, { checked }: Clause): EvaluationError =>
  error instanceof EvaluationError ? error : new EvaluationError('limit', String(error), checked.tree.span);

/**
 * Whether a deny or a guard does: it applies, or errs for another reason than a namespace that the activity lacks. `known`
 * is what the condition is, where that is known.
 */
export function denies(policy: Policy, facts: Facts, absent: number, known?: boolean): boolean {
  const { condition, consensus, time, needs } = policy;
  if ((needs & absent) !== 0) return false;
  const met = known ?? test(condition, facts);
  if (met === undefined) return !isAbsence(failure());
  // What cannot err need not be evaluated once another clause is false.
  const agreed = met || consensus?.fallible ? test(consensus, facts) : false;
  if (agreed === undefined) return !isAbsence(failure());
  const active = (met && agreed) || time?.fallible ? test(time, facts) : false;
  if (active === undefined) return !isAbsence(failure());
  return met && agreed && active;
}

const isAbsence = (error: EvaluationError): boolean => error.code === 'namespace-absent';

/** Whether only approvals are missing for the policy to apply, and some could give them. */
export function awaitsConsensus(policy: Policy, absent: number, prospect: Prospect): boolean {
  const { consensus } = policy;
  return consensus !== null && isMet(policy, prospect.facts, absent) && canBecome(true, consensus, prospect);
}

/** Whether a guard denies only for want of approvals that some could give. */
export function isLiftable(policy: Policy, absent: number, prospect: Prospect): boolean {
  const { consensus } = policy;
  return consensus !== null && applies(policy, prospect.facts, absent) && canBecome(false, consensus, prospect);
}

/** What becomes of the policy, every clause being evaluated. */
export function outcomeOf(policy: Policy, absent: number, prospect: Prospect): PolicyOutcome {
  const { facts } = prospect;
  const { id: policyId, effect, condition, consensus, time } = policy;
  const missing = policy.needs & absent;
  if (missing !== 0) {
    const name = namespaceName(missing);
    const span = condition?.checked.tree.span ?? { start: 0, end: 0 };
    const error = new EvaluationError('namespace-absent', `the activity does not carry ${name}`, span, name);
    return { policyId, outcome: 'OUTCOME_ERROR', error: { clause: 'condition', error }, denies: false };
  }
  const clauses = [condition, consensus, time].map((clause) => (clause === null ? true : evaluate(clause, facts)));
  const errors = clauses.filter((value) => typeof value === 'object');
  const [error] = errors;
  if (error) {
    const failed = effect !== 'EFFECT_ALLOW' && !isAbsence(error.error);
    return { policyId, outcome: 'OUTCOME_ERROR', error, denies: failed };
  }
  const [met, agreed, active] = clauses;
  const applied = met === true && agreed === true;
  if (applied && active) {
    const allow = effect === 'EFFECT_ALLOW';
    return { policyId, outcome: allow ? 'OUTCOME_ALLOW' : 'OUTCOME_DENY_EXPLICIT', denies: !allow };
  }
  if (applied) return { policyId, outcome: 'OUTCOME_TIME_INACTIVE', denies: false };
  const awaited = effect === 'EFFECT_ALLOW' && awaitsConsensus(policy, absent, prospect);
  return { policyId, outcome: awaited ? 'OUTCOME_REQUIRES_CONSENSUS' : 'OUTCOME_DENY_IMPLICIT', denies: false };
}

function evaluate(clause: Clause, facts: Facts): boolean | { clause: ClauseName; error: EvaluationError } {
  return test(clause, facts) ?? { clause: clause.name, error: failure() };
}
