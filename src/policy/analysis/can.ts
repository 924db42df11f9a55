/** Whether a set of policies lets somebody do something without something else being so. */
import { compileText } from '../compile-text.ts';
import type { Policy } from '../policy-set.ts';
import type { Schema } from '../types.ts';
import { type Answer, ask } from './ask.ts';
import { encodeClause } from './encode.ts';
import { encodeDecision, encodePolicy } from './encode-set.ts';
import { isTrue } from './encoding.ts';
import { limitsFor } from './limits.ts';
import { pose } from './problem.ts';
import { schema } from './schema.ts';
import { allowsWitness, clausesOf, createSide, requestOf } from './side.ts';
import { and, not } from './smt.ts';
import { preloadSolver, withSolver } from './solver.ts';

export type Possibility = {
  /** By the policies. */
  readonly policies: Answer;
  /** By root users who satisfy the root quorum, past all policies but guards. */
  readonly rootQuorum: Answer;
};

/** An expression of either language that may name what conditions, consensus and times may. Throws `PolicyError`. */
export function compileQuestion(source: string, names: Schema = schema) {
  return { source, ...compileText(source, { schema: names, expected: { kind: 'bool' } }) };
}

export type QuestionText = ReturnType<typeof compileQuestion>;

/** Whether there is a request that is allowed, for which `what` is true, and for which `unless` is not true. */
export async function can(
  policies: readonly Policy[],
  what: QuestionText,
  unless: QuestionText,
  timeLimit: number,
): Promise<Possibility> {
  preloadSolver();
  const problem = pose(limitsFor([...clausesOf(policies), what, unless]), (shared, options) => {
    const encoded = policies.map((policy) => encodePolicy(shared, policy));
    const encode = (question: QuestionText, origin: string) => encodeClause(shared, question, origin);
    const allowed = encodeDecision(shared.symbols, encoded, options);
    return and(allowed, isTrue(encode(what, 'what is done')), not(isTrue(encode(unless, 'what it is done without'))));
  });
  const side = createSide(policies);
  const check: Parameters<typeof ask>[3] = (witness) => {
    const { facts } = requestOf(policies, witness);
    const isTrueOn = ({ program }: QuestionText): boolean => {
      try {
        return program(facts) === true;
      } catch {
        return false;
      }
    };
    return { holds: allowsWitness(side, witness) && isTrueOn(what) && !isTrueOn(unless), facts };
  };
  const { root } = problem.options;
  return withSolver(problem.symbols.script.text(), timeLimit, (solver) => ({
    policies: ask(solver, problem, and(problem.terms, not(root)), check),
    rootQuorum: ask(solver, problem, and(problem.terms, root), check),
  }));
}
