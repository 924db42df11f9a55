import { type Code, compileCode, type SharedCode } from './compile.ts';
import type { EvaluationError } from './errors.ts';
import { fail, failure } from './evaluation.ts';
import type { Plan } from './plan.ts';
import { createPlanKeys, type Origin } from './plan-key.ts';
import type { Language } from './syntax.ts';
import type { Value } from './types.ts';
import type { Facts } from './values.ts';

/** Expressions that are evaluated on the same facts, so that what they have in common is evaluated once. */
export type Sharing = {
  /** The same for parts that have the same value; undefined for one that is of none of the expressions. */
  readonly keyOf: (plan: Plan) => number | undefined;
  readonly compile: (plan: Plan, language: Language) => Code;
  /** The code of what several have; undefined for all else. */
  readonly shared: SharedCode;
  /** Lets go of all values; to be called when a decision is made. */
  readonly forget: () => void;
};

type Cell = { facts: Facts | undefined; value: Value | undefined; error: EvaluationError | undefined };

/** Of these expressions, no others. */
export function createSharing(expressions: readonly (Origin & { readonly plan: Plan })[]): Sharing {
  const number = createPlanKeys();
  const keys = new Map<Plan, number>();
  const counts: number[] = [];
  for (const { plan, ...origin } of expressions) {
    forEachSharable(plan, (part) => {
      const key = number(part, origin);
      keys.set(part, key);
      counts[key] = (counts[key] ?? 0) + 1;
    });
  }

  const { keep, forget } = createCells();
  const kept = new Map<number, Code>();
  const shared: SharedCode = (plan, language) => {
    const key = keys.get(plan);
    if (key === undefined || (counts[key] ?? 0) < 2) return undefined;
    const known = kept.get(key) ?? keep(compileCode(plan, language, shared));
    kept.set(key, known);
    return known;
  };

  return {
    keyOf: (plan) => keys.get(plan),
    shared,
    compile: (plan, language) => shared(plan, language) ?? compileCode(plan, language, shared),
    forget,
  };
}

/** Apart from what they are made for, which is not to be held on to by who only forgets. */
function createCells(): { readonly keep: (code: Code) => Code; readonly forget: () => void } {
  const filled: Cell[] = [];
  const keep = (code: Code): Code => {
    const cell: Cell = { facts: undefined, value: undefined, error: undefined };
    return (facts) => {
      if (cell.facts === facts) return cell.error === undefined ? cell.value : fail(cell.error);
      const value = code(facts);
      cell.value = value;
      cell.error = value === undefined ? failure() : undefined;
      cell.facts = facts;
      filled.push(cell);
      return value;
    };
  };
  const forget = (): void => {
    if (filled.length === 0) return;
    for (const cell of filled) {
      cell.facts = undefined;
      cell.value = undefined;
      cell.error = undefined;
    }
    filled.length = 0;
  };
  return { keep, forget };
}

/** The parts that know no macro's variable. */
function forEachSharable(plan: Plan, visit: (part: Plan) => void): void {
  if (plan.op === 'constant') return;
  visit(plan);
  for (const part of outerParts(plan)) forEachSharable(part, visit);
}

function outerParts(plan: Plan): readonly Plan[] {
  switch (plan.op) {
    case 'field':
    case 'has':
      return [plan.object];
    case 'apply':
      return plan.arguments;
    case 'and':
    case 'or':
      return plan.operands;
    case 'conditional':
      return [plan.condition, plan.whenTrue, plan.whenFalse];
    case 'loop':
      return [plan.range];
    case 'list':
      return plan.items;
    case 'map':
      return plan.entries.flat();
    default:
      return [];
  }
}
