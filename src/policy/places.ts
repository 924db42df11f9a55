/** Places in the facts that hold what policies are found by: a field, an entry of a map, that of every element of a list. */
import type { Step as FieldStep, Plan } from './plan.ts';
import { foldCase } from './text.ts';
import { isDynamic } from './type-relations.ts';
import type { Type, Value } from './types.ts';
import { type Facts, hexOf, isBytes, isList, isMap, isStruct } from './values.ts';

type Step =
  | { readonly kind: 'field'; readonly name: string; readonly default: Value | undefined }
  | { readonly kind: 'key'; readonly name: string }
  | { readonly kind: 'each' };

export type Place = {
  /** Such as `eth.tx.to`, `eth.tx.contract_call_args["to"]` or `approvers[].id`. */
  readonly name: string;
  readonly steps: readonly Step[];
  /** Of what is there; not of a decoded argument, which only the data tell. */
  readonly type: Type;
};

/** What values are looked up by. */
export type Key = string | bigint | boolean;

/** The places of the macros' variables, by slot. */
export type Variables = ReadonlyMap<number, Place>;

/** The place that an expression reads; undefined for what is more than reading. */
export function placeOf(plan: Plan, variables: Variables): Place | undefined {
  switch (plan.op) {
    case 'path': {
      const name = plan.steps.map(({ field }) => field).join('.');
      return { name, steps: plan.steps.map(fieldStep), type: plan.type };
    }
    case 'field': {
      const { field } = plan.step;
      return extend(placeOf(plan.object, variables), `.${field}`, fieldStep(plan.step), plan.type);
    }
    case 'variable':
      return variables.get(plan.slot);
    case 'apply': {
      const [object] = plan.arguments;
      const name = keyOf(plan);
      if (object === undefined || name === undefined) return undefined;
      return extend(placeOf(object, variables), `[${JSON.stringify(name)}]`, { kind: 'key', name }, plan.type);
    }
    default:
      return undefined;
  }
}

/** The elements of the list at a place, or of what a filter leaves of it. */
export function elementsOf(list: Plan, variables: Variables): Place | undefined {
  if (list.op === 'loop') return list.macro === 'filter' ? elementsOf(list.range, variables) : undefined;
  if (list.type.kind !== 'list') return undefined;
  return extend(placeOf(list, variables), '[]', { kind: 'each' }, list.type.element);
}

const extend = (place: Place | undefined, suffix: string, step: Step, type: Type): Place | undefined =>
  place && { name: place.name + suffix, steps: [...place.steps, step], type };

const fieldStep = (step: FieldStep): Step => ({
  kind: 'field',
  name: step.field,
  default: step.absent === 'default' ? step.default : undefined,
});

/** Of `map["key"]` and `map.key`. */
function keyOf({ name, source, arguments: [, index] }: Plan & { op: 'apply' }): string | undefined {
  if (name === 'select' && source.kind === 'member') return source.field;
  return name === 'index' && index?.op === 'constant' && typeof index.value === 'string' ? index.value : undefined;
}

/** Whether there is one value at most, and a field of the facts. */
export const isField = ({ steps }: Place): boolean => steps.every(({ kind }) => kind === 'field');

/** The keys of all values at the place. */
export function keysAt(place: Place, facts: Facts): ReadonlySet<Key> {
  const keys = new Set<Key>();
  addKeys(place, 0, facts as Value, keys);
  return keys;
}

function addKeys(place: Place, from: number, start: Value, keys: Set<Key>): void {
  let value: Value | undefined = start;
  for (let index = from; index < place.steps.length; index += 1) {
    const step = place.steps[index] as Step;
    if (step.kind === 'each') {
      if (isList(value)) for (const item of value) addKeys(place, index + 1, item, keys);
      return;
    }
    value = next(value, step);
    if (value === undefined) return;
  }
  const key = toKey(value, place.type);
  if (key !== undefined) keys.add(key);
}

function next(value: Value, step: Exclude<Step, { readonly kind: 'each' }>): Value | undefined {
  if (step.kind === 'field')
    return typeof value === 'object' ? ((value as Facts | null)?.[step.name] ?? step.default) : undefined;
  if (isMap(value)) return value.get(step.name);
  return isStruct(value) ? value[step.name] : undefined;
}

/** The value at a place of fields alone; undefined where it is absent. */
export function valueAt({ steps }: Place, facts: Facts): Value | undefined {
  let value: Value | undefined = facts as Value;
  for (let index = 0; index < steps.length; index += 1) {
    value = next(value, steps[index] as Step & { readonly kind: 'field' });
    if (value === undefined) return undefined;
  }
  return value;
}

/** The same for all values that are equal; of decoded arguments also for some that are not. Undefined for what has none. */
export function toKey(value: Value, type: Type): Key | undefined {
  const dynamic = isDynamic(type);
  switch (typeof value) {
    case 'string':
      return dynamic ? foldCase(value) : value;
    case 'bigint':
    case 'boolean':
      return value;
    case 'number':
      return dynamic && Number.isInteger(value) ? BigInt(value) : undefined;
    default:
      return dynamic && isBytes(value) ? hexOf(value) : undefined;
  }
}
