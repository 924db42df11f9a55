/** Which sub-expressions made a clause come out as it did. */
import type { Checked } from './check.ts';
import type { EvaluationError } from './errors.ts';
import type { Plan } from './plan.ts';
import type { Span } from './syntax.ts';
import type { Trace, TraceStep } from './trace.ts';
import type { Type, Value } from './types.ts';
import { isList, isMap } from './values.ts';

/** A value that a sub-expression had. */
export type Seen = { readonly span: Span; readonly type: Type; readonly value: Value };

export type Blame = {
  readonly span: Span;
  /** Which elements of the lists around it, the outermost macro's first. */
  readonly elements: readonly number[];
  /** Its value; absent where it has none for `error`. */
  readonly value?: boolean;
  readonly error?: EvaluationError;
  /** What it was computed from. */
  readonly seen: readonly Seen[];
  /** Elements that a macro visited. */
  readonly items?: number;
};

const maxBlamed = 16;
/** What a sum is made of is worth seeing, too. */
const arithmetic: ReadonlySet<string> = new Set(['+', '-', '*', '/', '%']);

/**
 * Of `&&` and `||` the operands that have its value; of a macro the first element that decided it, or how many did not; of a
 * comparison the values of its sides; of an error its place. At most {@link maxBlamed}.
 */
export function blame({ plan }: Checked, { value: result, error, steps }: Trace): readonly Blame[] {
  const found = new Map(steps.map((step) => [keyOf(step.span, step.elements), step]));
  const at = (part: Plan, elements: readonly number[]): TraceStep | undefined =>
    found.get(keyOf(part.source.span, elements));
  const valueAt = (part: Plan, elements: readonly number[]): Value | undefined => {
    if (part.op === 'constant') return part.value;
    const step = at(part, elements);
    return step !== undefined && 'value' in step ? step.value : undefined;
  };
  const seenBy = (part: Plan, elements: readonly number[]): Seen[] =>
    operandsOf(part).flatMap((operand) => {
      const value = operand.op === 'constant' ? undefined : valueAt(operand, elements);
      if (value === undefined) return [];
      const terms = operand.op === 'apply' && arithmetic.has(operand.name) ? seenBy(operand, elements) : [];
      return [{ span: operand.source.span, type: operand.type, value }, ...terms];
    });

  const leaf = (part: Plan, elements: readonly number[]): Blame => ({
    span: part.source.span,
    elements,
    value: valueAt(part, elements) === true,
    seen: seenBy(part, elements),
  });

  const visit = (part: Plan, elements: readonly number[]): readonly Blame[] => {
    const value = valueAt(part, elements);
    switch (part.op) {
      case 'and':
      case 'or':
        return part.operands
          .filter((operand) => valueAt(operand, elements) === value)
          .flatMap((operand) => visit(operand, elements));
      case 'conditional': {
        const branch = valueAt(part.condition, elements) === true ? part.whenTrue : part.whenFalse;
        return branch.op === 'constant' ? visit(part.condition, elements) : visit(branch, elements);
      }
      case 'loop':
        return visitLoop(part, value, elements);
      case 'apply': {
        const [operand] = part.arguments;
        if (part.name === '!' && operand) return visit(operand, elements);
        return [leaf(part, elements)];
      }
      default:
        return [leaf(part, elements)];
    }
  };

  const visitLoop = (
    part: Plan & { op: 'loop' },
    value: Value | undefined,
    elements: readonly number[],
  ): readonly Blame[] => {
    const { macro, predicate, range } = part;
    const items = sizeOf(valueAt(range, elements));
    const decides = (macro === 'all' && value === false) || (macro === 'exists' && value === true);
    if (!decides || predicate === null) return [{ ...leaf(part, elements), seen: [], items }];
    for (let index = 0; index < items; index += 1) {
      const within = [...elements, index];
      if (valueAt(predicate, within) === value) return visit(predicate, within);
    }
    return [{ ...leaf(part, elements), seen: [], items }];
  };

  if (error === undefined) {
    // The trace of what takes very many steps ends before the last.
    const isWhole = plan.op === 'constant' || at(plan, []) !== undefined;
    const whole = { span: plan.source.span, elements: [], value: result === true, seen: [] };
    return isWhole ? visit(plan, []).slice(0, maxBlamed) : [whole];
  }
  const place = steps.find((step) => 'error' in step && step.error === error);
  const elements = place?.elements ?? [];
  const culprit = find(plan, (part) => part.op !== 'constant' && part.source.span === error.span);
  return [{ span: error.span, elements, error, seen: culprit ? seenBy(culprit, elements) : [] }];
}

const keyOf = ({ start, end }: Span, elements: readonly number[]): string => `${start}:${end}:${elements.join(',')}`;

function operandsOf(part: Plan): readonly Plan[] {
  switch (part.op) {
    case 'apply':
      return part.arguments;
    case 'field':
    case 'has':
      return [part.object];
    case 'loop':
      return [part.range];
    default:
      return [];
  }
}

/** The plans right below. */
export function parts(plan: Plan): readonly Plan[] {
  switch (plan.op) {
    case 'and':
    case 'or':
      return plan.operands;
    case 'conditional':
      return [plan.condition, plan.whenTrue, plan.whenFalse];
    case 'loop':
      return [plan.range, plan.predicate, plan.transform].filter((part) => part !== null);
    case 'list':
      return plan.items;
    case 'map':
      return plan.entries.flat();
    default:
      return operandsOf(plan);
  }
}

function find(plan: Plan, fits: (part: Plan) => boolean): Plan | undefined {
  if (fits(plan)) return plan;
  for (const part of parts(plan)) {
    const found = find(part, fits);
    if (found) return found;
  }
  return undefined;
}

function sizeOf(value: Value | undefined): number {
  if (value === undefined || value === null) return 0;
  if (isList(value)) return value.length;
  return isMap(value) ? value.size : 0;
}
