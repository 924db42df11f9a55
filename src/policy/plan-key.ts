import type { Apply, Plan, Step } from './plan.ts';
import type { Expression, Language } from './syntax.ts';
import type { Type, Value } from './types.ts';

/** A number for each plan: those with the same one have the same value, whatever the facts. */
export type PlanKeys = (plan: Plan, language: Language) => number;

/**
 * Of plans that are checked against one schema, each evaluated in one language. They are compared by their structure; which
 * function an application is follows from the text it came from, its types, and its place among those from the same text.
 */
export function createPlanKeys(): PlanKeys {
  const numbers = new Map<string, number>();
  const numberOf = (text: string): number => {
    const known = numbers.get(text) ?? numbers.size;
    numbers.set(text, known);
    return known;
  };

  const expressions = new WeakMap<Expression, number>();
  const expressionNumber = (node: Expression): number => {
    const known = expressions.get(node);
    if (known !== undefined) return known;
    const text = JSON.stringify(node, (name, value) => {
      if (name === 'span' || name === 'fieldSpan' || name === 'nameSpan') return undefined;
      if (typeof value === 'bigint' || typeof value === 'number') return String(value);
      return value !== node && isExpression(value) ? { part: expressionNumber(value) } : value;
    });
    const number = numberOf(text);
    expressions.set(node, number);
    return number;
  };

  const functions = new WeakMap<Expression, Apply[]>();
  const placeOf = (source: Expression, apply: Apply): number => {
    const known = functions.get(source) ?? [];
    if (!known.includes(apply)) known.push(apply);
    functions.set(source, known);
    return known.indexOf(apply);
  };

  const plans = new WeakMap<Plan, number>();
  return function keyOf(plan, language): number {
    const known = plans.get(plan);
    if (known !== undefined) return known;
    const all = (parts: readonly Plan[]): string => parts.map((part) => keyOf(part, language)).join();
    const number = numberOf(`${language} ${plan.op} ${typeText(plan.type)} ${describe(plan, all)}`);
    plans.set(plan, number);
    return number;
  };

  function describe(plan: Plan, all: (parts: readonly Plan[]) => string): string {
    switch (plan.op) {
      case 'constant':
        return `${expressionNumber(plan.source)} ${valueText(plan.value)}`;
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
        return `${expressionNumber(plan.source)} ${place} ${plan.name} ${all(plan.arguments)}`;
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

const isExpression = (value: unknown): value is Expression =>
  typeof value === 'object' && value !== null && 'kind' in value && 'span' in value;

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
