/**
 * Comparisons of facts with constants that many policies have to pass, in columns: to read them out of the closures of a
 * thousand policies takes several times as long.
 */
import type { Code } from './compile.ts';
import { type Apply, different, identical, nativeOrder, type Plan } from './plan.ts';
import type { Value } from './types.ts';
import type { Facts } from './values.ts';

export type Screen = {
  /** What is compared. */
  readonly values: readonly Code[];
  /** The comparisons of policy `n` are those from `starts[n]` up to `starts[n + 1]`. */
  readonly starts: readonly number[];
  /** Of each comparison: which of `values`, the operator, and with what. */
  readonly which: Uint32Array;
  readonly operators: Uint8Array;
  readonly constants: readonly Value[];
};

export type Comparison = {
  readonly value: Code;
  /** Its place in `operators`. */
  readonly operator: number;
  readonly constant: Value;
};

const operators: readonly Apply[] = [
  identical,
  different,
  nativeOrder['<'],
  nativeOrder['<='],
  nativeOrder['>'],
  nativeOrder['>='],
];

/** The comparison that `plan` is, of a value that `codeOf` knows; undefined for all else. */
export function comparisonOf(plan: Plan, codeOf: (value: Plan) => Code | undefined): Comparison | undefined {
  if (plan.op !== 'apply') return undefined;
  const [value, other] = plan.arguments;
  const operator = operators.indexOf(plan.apply);
  if (operator < 0 || !value || other?.op !== 'constant') return undefined;
  const code = codeOf(value);
  return code && { value: code, operator, constant: other.value };
}

/** Of the comparisons of each policy. */
export function createScreen(policies: readonly (readonly Comparison[])[]): Screen {
  const all = policies.flat();
  const values = [...new Set(all.map(({ value }) => value))];
  const starts = [0];
  for (const comparisons of policies) starts.push((starts.at(-1) ?? 0) + comparisons.length);
  return {
    values,
    starts,
    which: Uint32Array.from(all, ({ value }) => values.indexOf(value)),
    operators: Uint8Array.from(all, ({ operator }) => operator),
    constants: all.map(({ constant }) => constant),
  };
}

/** Of each value of the screen what it is now; undefined where it has none. */
export const readValues = ({ values }: Screen, facts: Facts): readonly (Value | undefined)[] =>
  values.map((code) => {
    try {
      return code(facts);
    } catch {
      return undefined;
    }
  });

/** Whether a policy's comparisons all hold; undefined where that is not known, and none is false. */
export function passes(
  { starts, which, operators, constants }: Screen,
  policy: number,
  values: readonly (Value | undefined)[],
): boolean | undefined {
  const end = starts[policy + 1] as number;
  let known = true;
  for (let at = starts[policy] as number; at < end; at += 1) {
    const value = values[which[at] as number];
    if (value === undefined) known = false;
    else if (!holds(operators[at] as number, value, constants[at] as Value)) return false;
  }
  return known ? true : undefined;
}

/** In the order of `operators`; what is ordered are numbers. */
function holds(operator: number, value: Value, constant: Value): boolean {
  switch (operator) {
    case 0:
      return value === constant;
    case 1:
      return value !== constant;
    case 2:
      return (value as bigint) < (constant as bigint);
    case 3:
      return (value as bigint) <= (constant as bigint);
    case 4:
      return (value as bigint) > (constant as bigint);
    default:
      return (value as bigint) >= (constant as bigint);
  }
}
