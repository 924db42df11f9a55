import { inferConditional, inferList, inferLoop, inferMap } from './checker/aggregates.ts';
import { inferCall } from './checker/calls.ts';
import { type Checker, refuse, type Scope } from './checker/checker.ts';
import { coerce } from './checker/coerce.ts';
import { inferAmount, inferLiteral } from './checker/literals.ts';
import { inferHas, inferIndex, inferMember, inferName, inferSlice } from './checker/names.ts';
import { coerceDynamic, inferBinary, inferUnary } from './checker/operators.ts';
import { costOf } from './cost.ts';
import { PolicyError, type Problem } from './errors.ts';
import { maxCost, maxWindows } from './limits.ts';
import type { Plan } from './plan.ts';
import type { Expression, Language } from './syntax.ts';
import { describeType, types } from './type-relations.ts';
import type { Schema, Type } from './types.ts';
import { windowsOf } from './windows.ts';

/** An expression whose types are right: what the compiler and the tracing interpreter work on. */
export type Checked = {
  readonly language: Language;
  readonly tree: Expression;
  readonly typeOf: (node: Expression) => Type;
  /** The namespaces that it names, such as `eth.tx`. */
  readonly namespaces: readonly string[];
  /** Bound on the steps of one evaluation. */
  readonly cost: number;
  readonly plan: Plan;
};

const maxProblems = 10;

/**
 * Resolves names and types. Throws {@link PolicyError} with all problems found. With `expected` of kind `dyn`, names may be
 * dynamic too and the bounds on cost do not hold: CEL's conformance tests need that, no policy does.
 */
export function check(tree: Expression, language: Language, schema: Schema, expected: Type): Checked {
  const problems: Problem[] = [];
  const typed = new Map<Expression, Type>();
  const dynamic = expected.kind === 'dyn';
  const infer = (node: Expression, scope: Scope, hint?: Type): Plan => {
    const plan = inferNode(checker, node, scope, hint);
    typed.set(node, plan.type);
    return plan;
  };
  const report = (problem: Problem): void => {
    problems.push(problem);
  };
  const checker: Checker = { language, dynamic, schema, namespaces: new Set(), infer, report };

  const root = infer(tree, { variables: new Map(), present: new Set(), depth: 0 }, expected);
  const fits = coerce(root, expected) ?? (dynamic ? coerceDynamic(root, expected) : undefined);
  const plan =
    fits ??
    refuse(checker, tree, {
      message: `the expression is ${describeType(root.type)}`,
      expected: describeType(expected),
    });
  const cost = costOf(plan);
  if (cost > maxCost && !dynamic)
    report({ message: `the expression may take ${cost} steps, at most ${maxCost}`, span: tree.span });
  if (windowsOf(tree).length > maxWindows)
    report({ message: `the expression asks about the past more than ${maxWindows} times`, span: tree.span });
  if (problems.length > 0) throw new PolicyError(language, 'check', problems.slice(0, maxProblems));
  // The inner nodes of a chain of && or || are not visited one by one.
  const typeOf = (node: Expression): Type => typed.get(node) ?? (node.kind === 'binary' ? types.bool : types.none);
  return { language, tree, typeOf, namespaces: [...checker.namespaces], cost, plan };
}

function inferNode(checker: Checker, node: Expression, scope: Scope, hint: Type | undefined): Plan {
  switch (node.kind) {
    case 'literal':
      return inferLiteral(checker, node, hint);
    case 'amount':
      return inferAmount(checker, node, hint);
    case 'name':
      return inferName(checker, node, scope);
    case 'member':
      return inferMember(checker, node, scope);
    case 'has':
      return inferHas(checker, node, scope);
    case 'index':
      return inferIndex(checker, node, scope);
    case 'slice':
      return inferSlice(checker, node, scope);
    case 'call':
      return inferCall(checker, node, scope);
    case 'macro':
      return inferLoop(checker, node, scope);
    case 'unary':
      return inferUnary(checker, node, scope, hint);
    case 'binary':
      return inferBinary(checker, node, scope, hint);
    case 'conditional':
      return inferConditional(checker, node, scope, hint);
    case 'list':
      return inferList(checker, node, scope, hint);
    case 'map':
      return inferMap(checker, node, scope);
  }
}
