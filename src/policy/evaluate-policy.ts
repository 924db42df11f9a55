/** One policy on one request. A policy applies where condition, consensus and time all hold. */
import { type Approval, canBecome } from './approvals.ts';
import { EvaluationError } from './errors.ts';
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
export function applies({ condition, consensus, time, needs }: Policy, facts: Facts, absent: number): boolean {
  return (needs & absent) === 0 && holds(condition, facts) && holds(consensus, facts) && holds(time, facts);
}

function holds(clause: Clause | null, facts: Facts): boolean {
  if (clause === null) return true;
  try {
    return clause.program(facts) === true;
  } catch {
    return false;
  }
}

/** Whether a deny or a guard does: it applies, or errs for another reason than a namespace that the activity lacks. */
export function denies(policy: Policy, facts: Facts, absent: number): boolean {
  if ((policy.needs & absent) !== 0) return false;
  let all = true;
  for (const clause of [policy.condition, policy.consensus, policy.time]) {
    // What cannot err need not be evaluated once another clause is false.
    if (clause === null || (!all && !clause.fallible)) continue;
    try {
      if (clause.program(facts) !== true) all = false;
    } catch (error) {
      return !isAbsence(error);
    }
  }
  return all;
}

const isAbsence = (error: unknown): boolean => error instanceof EvaluationError && error.code === 'namespace-absent';

/** Whether only approvals are missing for the policy to apply, and `others` could give them. */
export function awaitsConsensus(policy: Policy, facts: Facts, absent: number, others: readonly Approval[]): boolean {
  const { condition, consensus, time } = policy;
  if (consensus === null || (policy.needs & absent) !== 0) return false;
  return holds(condition, facts) && holds(time, facts) && canBecome(true, consensus, facts, others);
}

/** Whether a guard denies only for want of approvals that `others` could give. */
export function isLiftable(policy: Policy, facts: Facts, absent: number, others: readonly Approval[]): boolean {
  if (policy.consensus === null || !applies(policy, facts, absent)) return false;
  return canBecome(false, policy.consensus, facts, others);
}

/** What becomes of the policy, every clause being evaluated. */
export function outcomeOf(policy: Policy, facts: Facts, absent: number, others: readonly Approval[]): PolicyOutcome {
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
  const awaited = effect === 'EFFECT_ALLOW' && awaitsConsensus(policy, facts, absent, others);
  return { policyId, outcome: awaited ? 'OUTCOME_REQUIRES_CONSENSUS' : 'OUTCOME_DENY_IMPLICIT', denies: false };
}

function evaluate(clause: Clause, facts: Facts): boolean | { clause: ClauseName; error: EvaluationError } {
  try {
    return clause.program(facts) === true;
  } catch (error) {
    if (error instanceof EvaluationError) return { clause: clause.name, error };
    const { span } = clause.checked.tree;
    return { clause: clause.name, error: new EvaluationError('limit', String(error), span) };
  }
}
