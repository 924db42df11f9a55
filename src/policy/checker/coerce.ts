import { kindOf, Tagged, toDynamic, untag } from '../dynamic.ts';
import { typeMismatch } from '../failure.ts';
import { type Apply, application, type Plan } from '../plan.ts';
import { foldCase } from '../text.ts';
import { isCaseless, isDynamic, isInteger, isText } from '../type-relations.ts';
import type { Type, Value } from '../types.ts';
import { isList } from '../values.ts';

/** `plan` as a value of the type `to`; undefined where no value of its type is one. Numbers are never converted. */
export function coerce(plan: Plan, to: Type): Plan | undefined {
  const from = plan.type;
  const change = conversion(from, to);
  if (change === undefined) return undefined;
  if (change === null) return from === to ? plan : { ...plan, type: to };
  const total = !isDynamic(from);
  return application({
    source: plan.source,
    type: to,
    name: 'convert',
    apply: change,
    total,
    cost: 0,
    arguments: [plan],
  });
}

/** Null: the representation is the same. Undefined: it cannot be. */
export function conversion(from: Type, to: Type): Apply | null | undefined {
  if (from === to || from.kind === 'none') return null;
  if (isDynamic(to)) return to.kind === 'dyn' && !isDynamic(from) ? toDynamic(from) : null;
  if (isDynamic(from)) return expectKind(to);
  if (isInteger(from) && isInteger(to)) {
    return to.wide
      ? from.kind === 'int' && to.kind === 'uint'
        ? undefined
        : null
      : from.kind === to.kind && !from.wide
        ? null
        : undefined;
  }
  if (isText(from) && isText(to)) return isCaseless(to) && !isCaseless(from) ? foldCase : null;
  if (from.kind === 'list' && to.kind === 'list') {
    const item = conversion(from.element, to.element);
    return item && ((list: readonly Value[]) => list.map((value) => item(value)));
  }
  if (from.kind === 'map' && to.kind === 'map') {
    if (conversion(from.key, to.key) !== null) return undefined;
    const item = conversion(from.value, to.value);
    return item && ((map: ReadonlyMap<string, Value>) => new Map([...map].map(([key, value]) => [key, item(value)])));
  }
  if (from.kind === 'struct' && to.kind === 'struct') return from.name === to.name ? null : undefined;
  return from.kind === to.kind ? null : undefined;
}

/** Takes from a dynamic value what the type says, or fails. */
function expectKind(type: Type): Apply {
  if (isText(type)) {
    const fold = isCaseless(type) ? foldCase : (text: string) => text;
    return (value: Value) => {
      if (typeof value !== 'string') throw typeMismatch;
      return fold(value);
    };
  }
  if (type.kind === 'list' && !isDynamic(type.element) && type.element.kind !== 'none') {
    const item = expectKind(type.element);
    return (value: Value) => {
      if (!isList(value)) throw typeMismatch;
      return value.map((element) => item(element));
    };
  }
  return (value: Value) => {
    const kind = kindOf(value);
    // Decoded arguments carry no tag: their integers are ints.
    const matches = kind === type.kind || (type.kind === 'uint' && kind === 'int' && (value as bigint) >= 0n);
    if (!matches) throw typeMismatch;
    return value instanceof Tagged ? untag(value) : value;
  };
}
