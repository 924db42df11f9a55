import type { Apply, Plan, Step } from './plan.ts';
import type { Expression, Language } from './syntax.ts';
import type { Type, Value } from './types.ts';

/** What a plan is of. */
export type Origin = {
  readonly text: string;
  /** Whose text it is. */
  readonly language: Language;
  /** As which it is evaluated. */
  readonly evaluatedAs: Language;
};

/**
 * Numbers plans that are checked against one schema, so that those with the same number have the same value whatever the facts.
 * They are compared by their structure; which function an application is follows from the text it came from, its types, and its
 * place among those from the same part of the text.
 */
export function createPlanKeys(): (plan: Plan, origin: Origin) => number {
  const numbers = new Map<string, number>();
  const plans = new Map<Plan, number>();
  const functions = new Map<Expression, Apply[]>();

  const placeOf = (source: Expression, apply: Apply): number => {
    const known = functions.get(source);
    if (known === undefined) {
      functions.set(source, [apply]);
      return 0;
    }
    return known.includes(apply) ? known.indexOf(apply) : known.push(apply) - 1;
  };

  return function keyOf(plan, origin): number {
    const found = plans.get(plan);
    if (found !== undefined) return found;
    const text = describe(plan, origin, (parts) => parts.map((part) => keyOf(part, origin)).join());
    const number = numbers.get(text) ?? numbers.size;
    numbers.set(text, number);
    plans.set(plan, number);
    return number;
  };

  function describe(plan: Plan, origin: Origin, all: (parts: readonly Plan[]) => string): string {
    const languages = `${origin.language} ${origin.evaluatedAs}`;
    return `${languages} ${plan.op} ${typeText(plan.type)} ${structureOf(plan, origin, all)}`;
  }

  function structureOf(plan: Plan, { text }: Origin, all: (parts: readonly Plan[]) => string): string {
    const { kind, span } = plan.source;
    const written = () => `${kind} ${text.slice(span.start, span.end)}`;
    switch (plan.op) {
      case 'constant':
        return `${valueText(plan.value)} ${written()}`;
      case 'path':
        return plan.steps.map(stepText).join();
      case 'variable':
        return String(plan.slot);
      case 'field':
        return `${stepText(plan.step)} ${all([plan.object])}`;
      case 'has':
        return `${plan.field} ${all([plan.object])}`;
      case 'apply': {
        const place = placeOf(plan.source, plan.apply);
        return `${place} ${plan.name} ${all(plan.arguments)} ${written()}`;
      }
      case 'and':
      case 'or':
        return all(plan.operands);
      case 'conditional':
        return all([plan.condition, plan.whenTrue, plan.whenFalse]);
      case 'loop': {
        const { macro, slot, range, predicate, transform } = plan;
        const part = (inner: Plan | null) => (inner ? all([inner]) : '');
        return `${macro} ${slot} ${all([range])} ${part(predicate)} ${part(transform)}`;
      }
      case 'list':
        return all(plan.items);
      case 'map':
        return all(plan.entries.flat());
    }
  }
}

const stepText = (step: Step): string =>
  `${step.field} ${step.absent} ${step.absent === 'default' ? valueText(step.default) : ''}`;

const valueText = (value: Value): string =>
  typeof value === 'object'
    ? Object.prototype.toString.call(value)
    : `${typeof value} ${JSON.stringify(String(value))}`;

function typeText(type: Type): string {
  switch (type.kind) {
    case 'int':
    case 'uint':
      return type.wide ? `wide ${type.kind}` : type.kind;
    case 'value':
      return type.caseless ? 'caseless value' : 'value';
    case 'list':
      return `list(${typeText(type.element)})`;
    case 'map':
      return `map(${typeText(type.key)}, ${typeText(type.value)})`;
    case 'struct':
      return type.name;
    default:
      return type.kind;
  }
}
