/** Which policies of a set make no difference. */
import type { Policy } from '../policy-set.ts';
import { askAnyQuorum } from './ask.ts';
import { onlyBy } from './compare.ts';
import { type EncodedPolicy, encodeDecision, encodePolicy, type SetOptions } from './encode-set.ts';
import { limitsFor } from './limits.ts';
import { type Problem, pose } from './problem.ts';
import { clausesOf, createSide, type Side } from './side.ts';
import { and, falsity, not, or, type Term } from './smt.ts';
import { preloadSolver, type Solver, withSolver } from './solver.ts';
import type { Symbols, Unknown } from './symbols.ts';
import type { Witness } from './witness.ts';

export type Usefulness =
  /** Without it the witness would be decided otherwise. */
  | { readonly verdict: 'used'; readonly witness: Witness }
  /**
   * There is no request to which it applies; or an allow, of which denies, guards or the rules of the root quorum stop all;
   * or others of its effect do all that it does; or a deny that stops only what would not be allowed anyway.
   */
  | { readonly verdict: 'never-matches' | 'shadowed' | 'redundant' | 'idle' }
  | { readonly verdict: 'unknown'; readonly because: readonly Unknown[] };

export type PolicyFinding = { readonly policyId: string } & Usefulness;

/** `report` is told of each finding as it is made; `timeLimit` in ms for each question to the solver. */
export async function findUnused(
  policies: readonly Policy[],
  timeLimit: number,
  report: (finding: PolicyFinding) => void = () => {},
): Promise<readonly PolicyFinding[]> {
  preloadSolver();
  const problem = pose(limitsFor(clausesOf(policies)), (shared, options) => {
    const encoded = policies.map((policy) => encodePolicy(shared, policy));
    return encoded.map((each) => termsOf(shared.symbols, each, encoded, options));
  });
  const all = createSide(policies);
  return withSolver(problem.symbols.script.text(), timeLimit, (solver) => {
    const findings: PolicyFinding[] = [];
    for (const [index, policy] of policies.entries()) {
      const terms = problem.terms[index] as PolicyTerms;
      const finding = { policyId: policy.id, ...usefulness(solver, problem, all, policy, terms) };
      findings.push(finding);
      report(finding);
    }
    return findings;
  });
}

type PolicyTerms = {
  readonly matters: Term;
  readonly matches: Term;
  /** It allows what nothing denies. */
  readonly free: Term;
  /** It denies what no other does. */
  readonly alone: Term;
};

function termsOf(
  symbols: Symbols,
  each: EncodedPolicy,
  policies: readonly EncodedPolicy[],
  options: SetOptions,
): PolicyTerms {
  const others = policies.filter((other) => other !== each);
  const [whole, without] = [policies, others].map((set) => encodeDecision(symbols, set, options)) as [Term, Term];
  const denied = or(...others.map(({ policy, denies }) => (policy.effect === 'EFFECT_ALLOW' ? falsity : denies)));
  const allows = each.policy.effect === 'EFFECT_ALLOW';
  return {
    matters: allows ? and(whole, not(without)) : and(without, not(whole)),
    matches: allows ? each.applies : each.denies,
    free: and(each.applies, not(denied), not(options.isRootKind)),
    alone: and(each.denies, not(denied)),
  };
}

function usefulness(
  solver: Solver,
  problem: Problem<unknown>,
  all: Side,
  policy: Policy,
  terms: PolicyTerms,
): Usefulness {
  const allows = policy.effect === 'EFFECT_ALLOW';
  const rest = createSide(all.policies.filter((other) => other !== policy));
  const check = allows ? onlyBy(all, rest) : onlyBy(rest, all);
  const found = askAnyQuorum(solver, problem, terms.matters, check);
  if (found.answer === 'yes') return { verdict: 'used', witness: found.witness };
  if (found.answer === 'unknown') return { verdict: 'unknown', because: found.because };
  // What the solver finds possible may not be so; that something is not possible is certain, and each reason is such.
  const never = (term: Term): boolean => solver.solve(term, []) === undefined;
  if (never(terms.matches)) return { verdict: 'never-matches' };
  if (allows) return { verdict: never(terms.free) ? 'shadowed' : 'redundant' };
  return { verdict: never(terms.alone) ? 'redundant' : 'idle' };
}
