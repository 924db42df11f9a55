import { type Code, compileCode, type SharedCode } from './compile.ts';
import type { EvaluationError } from './errors.ts';
import { fail, failure } from './evaluation.ts';
import type { Plan } from './plan.ts';
import { createPlanKeys, type PlanKeys } from './plan-key.ts';
import type { Language } from './syntax.ts';
import type { Value } from './types.ts';
import type { Facts } from './values.ts';

/** Expressions that are evaluated on the same facts, so that what they have in common is evaluated once. */
export type Sharing = {
  readonly keyOf: PlanKeys;
  readonly compile: (plan: Plan, language: Language) => Code;
  /** Lets go of all values; to be called when a decision is made. */
  readonly forget: () => void;
};

type Part = { readonly plan: Plan; readonly language: Language };
type Cell = { facts: Facts | undefined; value: Value | undefined; error: EvaluationError | undefined };

/** Of these expressions, no others. */
export function createSharing(expressions: readonly Part[]): Sharing {
  const keyOf = createPlanKeys();
  const counts = new Map<number, number>();
  for (const { plan, language } of expressions) {
    forEachSharable(plan, (part) => {
      const key = keyOf(part, language);
      counts.set(key, (counts.get(key) ?? 0) + 1);
    });
  }

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

  const kept = new Map<number, Code>();
  const shared: SharedCode = (plan, language) => {
    const key = plan.op === 'constant' ? undefined : keyOf(plan, language);
    if (key === undefined || (counts.get(key) ?? 0) < 2) return undefined;
    const known = kept.get(key) ?? keep(compileCode(plan, language, shared));
    kept.set(key, known);
    return known;
  };

  return {
    keyOf,
    compile: (plan, language) => shared(plan, language) ?? compileCode(plan, language, shared),
    forget: () => {
      for (const cell of filled) Object.assign(cell, { facts: undefined, value: undefined, error: undefined });
      filled.length = 0;
    },
  };
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
