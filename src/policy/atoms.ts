/** Equalities that must hold for an expression to be true: what the index finds policies by. */
import { elementsOf, type Key, type Place, placeOf, toKey, type Variables } from './places.ts';
import type { Plan } from './plan.ts';
import { isCaseless, isDynamic, isInteger, isText } from './type-relations.ts';
import type { Type, Value } from './types.ts';
import { isList } from './values.ts';

/** One of the values at the place has this key. */
export type Atom = { readonly place: Place; readonly value: Key };

/** Where an expression is true, one of these at least holds. */
export type Atoms = readonly Atom[];

/** More values than this in one `in` are not worth as many entries. */
const maxAtoms = 256;
const maxOptions = 16;

/** Sets of atoms, any of which the expression can be found by; none where nothing is known. */
export function atomOptions(plan: Plan | undefined, variables: Variables = new Map()): readonly Atoms[] {
  switch (plan?.op) {
    case 'and':
      return plan.operands.flatMap((operand) => atomOptions(operand, variables)).slice(0, maxOptions);
    case 'or':
      return plan.operands.map((operand) => atomOptions(operand, variables)).reduce(eitherOf);
    case 'loop':
      return plan.macro === 'exists' || plan.macro === 'exists_one' ? optionsOfElements(plan, variables) : [];
    case 'apply':
      return optionsOfApplication(plan, variables);
    default:
      return [];
  }
}

const eitherOf = (options: readonly Atoms[], others: readonly Atoms[]): readonly Atoms[] =>
  options
    .flatMap((atoms) => others.map((more) => [...atoms, ...more]))
    .filter((atoms) => atoms.length <= maxAtoms)
    .slice(0, maxOptions);

function optionsOfApplication(plan: Plan & { op: 'apply' }, variables: Variables): readonly Atoms[] {
  const [left, right] = plan.arguments;
  if (left === undefined || right === undefined) return [];
  switch (plan.name) {
    case '==':
      return [...equality(left, right, variables), ...equality(right, left, variables), ...counted(plan, variables)];
    case '>=':
    case '>':
      return counted(plan, variables);
    case 'in':
      return membership(left, right, variables);
    default:
      return [];
  }
}

function equality(read: Plan, other: Plan, variables: Variables): readonly Atoms[] {
  const place = other.op === 'constant' ? placeOf(read, variables) : undefined;
  return place && other.op === 'constant' ? oneOf(place, [other.value], other.type) : [];
}

function membership(element: Plan, list: Plan, variables: Variables): readonly Atoms[] {
  if (list.type.kind !== 'list') return [];
  if (list.op === 'constant') {
    const place = placeOf(element, variables);
    return place && isList(list.value) ? oneOf(place, list.value, list.type.element) : [];
  }
  const place = element.op === 'constant' ? elementsOf(list, variables) : undefined;
  return place && element.op === 'constant' ? oneOf(place, [element.value], element.type) : [];
}

/** A value at the place is one of these constants of a type. */
function oneOf(place: Place, values: readonly Value[], type: Type): readonly Atoms[] {
  if (values.length === 0 || values.length > maxAtoms || !sameWhereEqual(place.type, type)) return [];
  const keys = values.map((value) => toKey(value, place.type));
  return keys.every((key) => key !== undefined) ? [keys.map((value) => ({ place, value }))] : [];
}

/** Whether equal values of the two types have the same key. */
function sameWhereEqual(a: Type, b: Type): boolean {
  if (isDynamic(a)) return true;
  if (isText(a) && isText(b)) return isCaseless(a) === isCaseless(b);
  return (isInteger(a) && isInteger(b)) || (a.kind === 'bool' && b.kind === 'bool');
}

/** A filter that leaves at least one. */
function counted({ name, arguments: [count, least] }: Plan & { op: 'apply' }, variables: Variables): readonly Atoms[] {
  if (count?.op !== 'apply' || (count.name !== 'count' && count.name !== 'size')) return [];
  const [list] = count.arguments;
  if (list?.op !== 'loop' || list.macro !== 'filter' || least?.op !== 'constant') return [];
  const { value } = least;
  return typeof value === 'bigint' && value >= (name === '>' ? 0n : 1n) ? optionsOfElements(list, variables) : [];
}

/** What the predicate needs of one element at least. */
function optionsOfElements(loop: Plan & { op: 'loop' }, variables: Variables): readonly Atoms[] {
  const elements = elementsOf(loop.range, variables);
  if (!elements || !loop.predicate) return [];
  return atomOptions(loop.predicate, new Map([...variables, [loop.slot, elements]]));
}
