/** A checked expression as the two evaluators see it: every name resolved, every overload chosen, constants folded. */
import type { Failure } from './failure.ts';
import type { Expression, Macro } from './syntax.ts';
import type { Type, Value } from './types.ts';

/** One step into the facts or into a struct, and what its absence means. */
export type Step = { readonly field: string } & (
  | { readonly absent: 'missing-field' }
  | { readonly absent: 'namespace-absent'; readonly namespace: string }
  | { readonly absent: 'default'; readonly default: Value }
);

/** A pure function of its arguments; throws `Failure`. */
// biome-ignore lint/suspicious/noExplicitAny: each overload knows the representation of the types it was chosen for
export type Apply = (...values: any[]) => Value;

export type Plan = { readonly source: Expression; readonly type: Type } & (
  | { readonly op: 'constant'; readonly value: Value }
  /** From a root of the facts down; the first step is the root. */
  | { readonly op: 'path'; readonly steps: readonly [Step, ...Step[]] }
  | { readonly op: 'variable'; readonly slot: number }
  | { readonly op: 'field'; readonly object: Plan; readonly step: Step }
  /** Whether the object has the field. */
  | { readonly op: 'has'; readonly object: Plan; readonly field: string }
  | {
      readonly op: 'apply';
      readonly name: string;
      readonly apply: Apply;
      /** It never throws. */
      readonly total: boolean;
      /** Why there is no value, where `apply` answers undefined. */
      readonly absent?: Failure;
      readonly cost: number;
      readonly arguments: readonly Plan[];
    }
  | { readonly op: 'and' | 'or'; readonly operands: readonly Plan[] }
  | { readonly op: 'conditional'; readonly condition: Plan; readonly whenTrue: Plan; readonly whenFalse: Plan }
  | {
      readonly op: 'loop';
      readonly macro: Macro;
      readonly range: Plan;
      readonly slot: number;
      readonly predicate: Plan | null;
      readonly transform: Plan | null;
    }
  | { readonly op: 'list'; readonly items: readonly Plan[] }
  | { readonly op: 'map'; readonly entries: readonly (readonly [key: Plan, value: Plan])[] }
);

/** `===` on the representations of both. */
export const identical: Apply = (a: Value, b: Value) => a === b;
export const different: Apply = (a: Value, b: Value) => a !== b;

/** Of what JavaScript's own operators order rightly: booleans, bigints and numbers, also across each other. */
export const nativeOrder: Readonly<Record<'<' | '<=' | '>' | '>=', Apply>> = {
  '<': (a: bigint, b: bigint) => a < b,
  '<=': (a: bigint, b: bigint) => a <= b,
  '>': (a: bigint, b: bigint) => a > b,
  '>=': (a: bigint, b: bigint) => a >= b,
};

type Application = {
  readonly source: Expression;
  readonly type: Type;
  readonly name: string;
  readonly apply: Apply;
  readonly total?: boolean;
  readonly absent?: Failure;
  readonly cost?: number;
  readonly arguments: readonly Plan[];
};

export const constant = (source: Expression, type: Type, value: Value): Plan => ({
  op: 'constant',
  source,
  type,
  value,
});

/** An application; computed at once where its arguments are constants and it does not fail. */
export function application({
  source,
  type,
  name,
  apply,
  total = false,
  absent,
  cost = 1,
  arguments: args,
}: Application): Plan {
  const found = absent && { absent };
  const node: Plan = { op: 'apply', source, type, name, apply, total, ...found, cost, arguments: args };
  const values: Value[] = [];
  for (const arg of args) {
    if (arg.op !== 'constant') return node;
    values.push(arg.value);
  }
  try {
    const value: Value | undefined = apply(...values);
    return value === undefined ? node : constant(source, type, value);
  } catch {
    return node;
  }
}
