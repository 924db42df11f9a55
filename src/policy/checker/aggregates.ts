import { maxMacroNesting } from '../limits.ts';
import { constant, type Plan } from '../plan.ts';
import type { Expression } from '../syntax.ts';
import { describeType, isDynamic, isInteger, isText, join, listOf, types, unknownItems } from '../type-relations.ts';
import type { Type, Value } from '../types.ts';
import { type Checker, refuse, type Scope } from './checker.ts';
import { coerce } from './coerce.ts';
import { inferBool } from './operators.ts';
import { after } from './presence.ts';

type Common = { readonly type: Type; readonly plans: readonly Plan[] };

/** All with the one type that holds them; the index of the first that does not fit. */
function unify(checker: Checker, plans: readonly Plan[]): Common | { readonly odd: number; readonly type: Type } {
  let type: Type = types.none;
  for (const [index, plan] of plans.entries()) {
    const joined: Type | undefined = join(type, plan.type) ?? (checker.dynamic ? types.dyn : undefined);
    if (joined === undefined) return { odd: index, type };
    type = joined;
  }
  if (checker.dynamic && type.kind === 'list' && plans.some((plan) => coerce(plan, type) === undefined))
    type = types.dyn;
  const coerced = plans.map((plan) => coerce(plan, type) ?? plan);
  return { type, plans: coerced };
}

/** Items in order; a literal takes the type of the first item, or the one expected. */
function inferItems(checker: Checker, nodes: readonly Expression[], scope: Scope, hint: Type | undefined): Plan[] {
  let expected = hint;
  return nodes.map((node) => {
    const plan = checker.infer(node, scope, expected);
    if (plan.type.kind !== 'none') expected ??= plan.type;
    return plan;
  });
}

export function inferList(
  checker: Checker,
  node: Expression & { kind: 'list' },
  scope: Scope,
  hint: Type | undefined,
): Plan {
  const elementHint = hint?.kind === 'list' ? hint.element : hint?.kind === 'value' ? hint : undefined;
  const common = unify(checker, inferItems(checker, node.items, scope, elementHint));
  if ('odd' in common) {
    const culprit = node.items[common.odd] ?? node;
    return refuse(checker, culprit, {
      message: 'the items of a list have one type',
      expected: describeType(common.type),
    });
  }
  const type = listOf(common.type, node.items.length);
  const values = constantsOf(common.plans);
  return values === undefined ? { op: 'list', source: node, type, items: common.plans } : constant(node, type, values);
}

function constantsOf(plans: readonly Plan[]): readonly Value[] | undefined {
  const values: Value[] = [];
  for (const plan of plans) {
    if (plan.op !== 'constant') return undefined;
    values.push(plan.value);
  }
  return values;
}

export function inferMap(checker: Checker, node: Expression & { kind: 'map' }, scope: Scope): Plan {
  const keys = unify(
    checker,
    inferItems(
      checker,
      node.entries.map(([key]) => key),
      scope,
      undefined,
    ),
  );
  const values = unify(
    checker,
    inferItems(
      checker,
      node.entries.map(([, value]) => value),
      scope,
      undefined,
    ),
  );
  if ('odd' in keys || 'odd' in values) {
    const culprit =
      'odd' in keys ? node.entries[keys.odd]?.[0] : 'odd' in values ? node.entries[values.odd]?.[1] : undefined;
    return refuse(checker, culprit ?? node, { message: 'the keys of a map have one type, and so have its values' });
  }
  const isKey =
    isText(keys.type) ||
    isInteger(keys.type) ||
    keys.type.kind === 'bool' ||
    keys.type.kind === 'none' ||
    keys.type.kind === 'dyn';
  if (!isKey && !checker.dynamic) {
    return refuse(checker, node.entries[0]?.[0] ?? node, {
      message: `${describeType(keys.type)} is no key`,
      expected: 'int, uint, bool or string',
    });
  }
  const type: Type = { kind: 'map', key: isKey ? keys.type : types.dyn, value: values.type };
  const entries = keys.plans.map((key, index) => [key, values.plans[index] ?? key] as const);
  return { op: 'map', source: node, type, entries };
}

export function inferConditional(
  checker: Checker,
  node: Expression & { kind: 'conditional' },
  scope: Scope,
  hint: Type | undefined,
): Plan {
  const condition = inferBool(checker, node.condition, scope);
  const then = checker.infer(node.whenTrue, after(node.condition, true, scope), hint);
  const otherwise = checker.infer(node.whenFalse, after(node.condition, false, scope), hint ?? then.type);
  const common = unify(checker, [then, otherwise]);
  if ('odd' in common) {
    const message = 'both branches have one type';
    return refuse(checker, node.whenFalse, { message, expected: describeType(then.type) });
  }
  const [left = then, right = otherwise] = common.plans;
  return { op: 'conditional', source: node, type: common.type, condition, whenTrue: left, whenFalse: right };
}

export function inferLoop(checker: Checker, node: Expression & { kind: 'macro' }, scope: Scope): Plan {
  const range = checker.infer(node.range, scope);
  const element = elementOf(range.type);
  if (element === undefined) {
    return refuse(checker, node.range, {
      message: `${describeType(range.type)} has no elements`,
      expected: 'list or map',
    });
  }
  const slot = scope.depth;
  if (slot >= maxMacroNesting && !checker.dynamic) {
    return refuse(checker, node, { message: `macros are nested at most ${maxMacroNesting} deep` });
  }
  const variables = new Map([...scope.variables, [node.variable, { slot, type: element }]]);
  const inner: Scope = { variables, present: scope.present, depth: slot + 1 };
  const predicate = node.predicate && inferBool(checker, node.predicate, inner);
  const transformScope = node.predicate === null ? inner : after(node.predicate, true, inner);
  const transform = node.transform && checker.infer(node.transform, transformScope);
  const items = range.type.kind === 'list' ? range.type.maxItems : unknownItems;
  const type =
    node.macro === 'filter' ? listOf(element, items) : transform ? listOf(transform.type, items) : types.bool;
  return { op: 'loop', source: node, type, macro: node.macro, range, slot, predicate, transform };
}

function elementOf(type: Type): Type | undefined {
  if (type.kind === 'list') return type.element;
  if (type.kind === 'map') return type.key;
  return isDynamic(type) || type.kind === 'none' ? type : undefined;
}
