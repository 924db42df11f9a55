import type { Problem } from '../errors.ts';
import { noSuchOverload } from '../failure.ts';
import { application, type Plan } from '../plan.ts';
import type { Expression, Language } from '../syntax.ts';
import { types } from '../type-relations.ts';
import type { Schema, Type } from '../types.ts';

export type Variable = { readonly slot: number; readonly type: Type };

/** What holds at a place in the expression. */
export type Scope = {
  readonly variables: ReadonlyMap<string, Variable>;
  /** Optional fields known to be there, see `presence.ts`. */
  readonly present: ReadonlySet<string>;
  /** Macros around the place. */
  readonly depth: number;
};

export type Checker = {
  readonly language: Language;
  /** CEL's conformance tests: names may be dynamic, and what does not fit is an error at evaluation. */
  readonly dynamic: boolean;
  readonly schema: Schema;
  /** Filled as names are resolved. */
  readonly namespaces: Set<string>;
  readonly infer: (node: Expression, scope: Scope, hint?: Type) => Plan;
  readonly report: (problem: Problem) => void;
};

/** A name that nothing has: an error at evaluation where names are dynamic. */
export function refuseName(
  checker: Checker,
  source: Expression,
  problem: Omit<Problem, 'span'> & Partial<Problem>,
): Plan {
  if (!checker.dynamic) return refuse(checker, source, problem);
  const apply = (): never => {
    throw noSuchOverload;
  };
  return application({ source, type: types.dyn, name: 'unbound', apply, arguments: [] });
}

/** Notes a problem; the result fits everything, so that it is reported once. */
export function refuse(checker: Checker, source: Expression, problem: Omit<Problem, 'span'> & Partial<Problem>): Plan {
  checker.report({ span: source.span, ...problem });
  return { op: 'constant', source, type: types.none, value: null };
}
