/** Whether one set of policies allows what another does not. */
import type { Policy } from '../policy-set.ts';
import { type Answer, askAnyQuorum, type Check } from './ask.ts';
import { encodeDecision, encodePolicy } from './encode-set.ts';
import { limitsFor } from './limits.ts';
import { pose } from './problem.ts';
import { allowsWitness, clausesOf, createSide, requestOf, type Side } from './side.ts';
import { and, not, type Term } from './smt.ts';
import { preloadSolver, withSolver } from './solver.ts';

export type Comparison = {
  /** Whether the second set allows something that the first does not. */
  readonly looser: Answer;
  /** Whether the first set allows something that the second does not. */
  readonly stricter: Answer;
};

/** `timeLimit` in ms for each of four questions to the solver. */
export async function compare(a: readonly Policy[], b: readonly Policy[], timeLimit: number): Promise<Comparison> {
  preloadSolver();
  const problem = pose(limitsFor(clausesOf([...a, ...b])), (shared, options) => {
    const allows = (policies: readonly Policy[]): Term => {
      const encoded = policies.map((policy) => encodePolicy(shared, policy));
      return encodeDecision(shared.symbols, encoded, options);
    };
    return { before: allows(a), after: allows(b) };
  });
  const { before, after } = problem.terms;
  const [first, second] = [createSide(a), createSide(b)];
  return withSolver(problem.symbols.script.text(), timeLimit, (solver) => ({
    looser: askAnyQuorum(solver, problem, and(after, not(before)), onlyBy(second, first)),
    stricter: askAnyQuorum(solver, problem, and(before, not(after)), onlyBy(first, second)),
  }));
}

/** Checks that one side allows a witness and the other does not. */
export const onlyBy =
  (allowing: Side, other: Side): Check =>
  (witness) => ({
    holds: allowsWitness(allowing, witness) && !allowsWitness(other, witness),
    facts: requestOf(allowing.policies, witness).facts,
  });
