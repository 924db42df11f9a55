import type { Plan } from './plan.ts';
import { unknownItems } from './type-relations.ts';

/** The most steps that one evaluation takes, with every list as long as its type allows. */
export function costOf(plan: Plan): number {
  const sum = (plans: readonly Plan[]): number => plans.reduce((total, part) => total + costOf(part), 1);
  switch (plan.op) {
    case 'constant':
    case 'variable':
      return 0;
    case 'path':
      return 1;
    case 'field':
    case 'has':
      return sum([plan.object]);
    case 'apply':
      return plan.cost + sum(plan.arguments);
    case 'and':
    case 'or':
      return sum(plan.operands);
    case 'conditional':
      return costOf(plan.condition) + Math.max(costOf(plan.whenTrue), costOf(plan.whenFalse)) + 1;
    case 'loop': {
      const items = plan.range.type.kind === 'list' ? plan.range.type.maxItems : unknownItems;
      const body = [plan.predicate, plan.transform].filter((part) => part !== null);
      return costOf(plan.range) + items * sum(body) + 1;
    }
    case 'list':
      return sum(plan.items);
    case 'map':
      return sum(plan.entries.flat());
  }
}
