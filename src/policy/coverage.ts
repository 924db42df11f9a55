/** Which sub-expressions were true, and which false, over some requests: what no case tries, no case tests. */
import { parts } from './blame.ts';
import { locate } from './errors.ts';
import type { Plan } from './plan.ts';
import type { Clause, ClauseName, Policy } from './policy-set.ts';
import type { Span } from './syntax.ts';
import { evaluateWithTrace } from './trace.ts';
import type { Facts } from './values.ts';

export type Uncovered = {
  readonly policyId: string;
  readonly clause: ClauseName;
  readonly text: string;
  readonly line: number;
  readonly column: number;
  /** Values that it never had. */
  readonly never: readonly boolean[];
};

export type Coverage = {
  /** Values that sub-expressions had, of `all` that they could have: two each. */
  readonly covered: number;
  readonly all: number;
  readonly uncovered: readonly Uncovered[];
};

/** Coverage of all clauses of `policies`, each evaluated on all of `facts`. */
export function coverage(policies: readonly Policy[], facts: readonly Facts[]): Coverage {
  const clauses = policies.flatMap((policy) =>
    [policy.condition, policy.consensus, policy.time]
      .filter((clause) => clause !== null)
      .map((clause) => coverClause(policy.id, clause, facts)),
  );
  return {
    covered: clauses.reduce((sum, { covered }) => sum + covered, 0),
    all: clauses.reduce((sum, { all }) => sum + all, 0),
    uncovered: clauses.flatMap(({ uncovered }) => uncovered),
  };
}

function coverClause(policyId: string, { name, source, checked }: Clause, facts: readonly Facts[]): Coverage {
  const tried = new Map<string, { readonly span: Span; readonly values: Set<boolean> }>();
  for (const { source: node } of boolParts(checked.plan))
    tried.set(keyOf(node.span), { span: node.span, values: new Set() });
  for (const each of facts) {
    for (const step of evaluateWithTrace(checked, each).steps) {
      if ('value' in step && typeof step.value === 'boolean') tried.get(keyOf(step.span))?.values.add(step.value);
    }
  }
  const found = [...tried.values()].sort((a, b) => a.span.start - b.span.start || b.span.end - a.span.end);
  return {
    covered: found.reduce((sum, { values }) => sum + values.size, 0),
    all: 2 * found.length,
    uncovered: found
      .filter(({ values }) => values.size < 2)
      .map(({ span, values }) => ({
        policyId,
        clause: name,
        text: source.slice(span.start, span.end),
        ...locate(source, span.start),
        never: [true, false].filter((value) => !values.has(value)),
      })),
  };
}

const keyOf = ({ start, end }: Span): string => `${start}:${end}`;

/** What is true or false and no constant. */
const boolParts = (plan: Plan): readonly Plan[] => [
  ...(plan.type.kind === 'bool' && plan.op !== 'constant' ? [plan] : []),
  ...parts(plan).flatMap(boolParts),
];
