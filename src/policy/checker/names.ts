import { kindOf, toDynamic, untag } from '../dynamic.ts';
import { type Failure, indexOutOfRange, noSuchKey, typeMismatch } from '../failure.ts';
import { slice } from '../functions/collections.ts';
import { type Apply, application, type Plan, type Step } from '../plan.ts';
import { suggest } from '../suggest.ts';
import type { Expression } from '../syntax.ts';
import { substring } from '../text.ts';
import { describeType, isDynamic, isInteger, isText, types } from '../type-relations.ts';
import type { Field, Type, Value } from '../types.ts';
import { isList, isMap, isStruct } from '../values.ts';
import { type Checker, refuse, refuseName, type Scope } from './checker.ts';
import { coerce, conversion } from './coerce.ts';
import { fieldPlace } from './presence.ts';

/** Beyond Turnkey's fields there are ours, which its language does not have. */
const visible = (checker: Checker, field: Field | undefined): field is Field =>
  field !== undefined && !(checker.language === 'turnkey' && field.celOnly);

const own = <Entry>(record: { readonly [key: string]: Entry }, key: string): Entry | undefined =>
  Object.hasOwn(record, key) ? record[key] : undefined;

function visibleNames(checker: Checker, fields: { readonly [field: string]: Field }): string[] {
  return Object.keys(fields).filter((name) => visible(checker, fields[name]));
}

export function inferName(checker: Checker, node: Expression & { kind: 'name' }, scope: Scope): Plan {
  const variable = scope.variables.get(node.name);
  if (variable !== undefined) return { op: 'variable', source: node, type: variable.type, slot: variable.slot };
  const field = own(checker.schema, node.name);
  if (!visible(checker, field)) {
    const names = [...scope.variables.keys(), ...visibleNames(checker, checker.schema)];
    const meant = field ? onlyInCel : suggestion(node.name, names, placeOf(checker, node.name));
    return refuseName(checker, node, { message: `there is no \`${node.name}\` here`, ...meant });
  }
  return { op: 'path', source: node, type: field.type, steps: [stepOf(checker, node.name, node.name, field)] };
}

/** Of a problem with a name that exists, but not in Turnkey's language. */
const onlyInCel = { expected: 'language `cel`, which has it', onlyInCel: true } as const;

/** What is near to the name, or `otherwise`. */
const suggestion = (name: string, names: Iterable<string>, otherwise?: string): { suggestion?: string } => {
  const found = suggest(name, names) ?? otherwise;
  return found === undefined ? {} : { suggestion: found };
};

/** `activity.kind` for `kind`, `eth.tx.to` for `to`: where a root, or what is right below one, has such a field. */
function placeOf(checker: Checker, name: string): string | undefined {
  const below = (fields: { readonly [field: string]: Field }, prefix: string): readonly (readonly [string, Field])[] =>
    visibleNames(checker, fields).map((field) => [`${prefix}${field}`, fields[field] as Field]);
  const inside = (places: readonly (readonly [string, Field])[]): readonly (readonly [string, Field])[] =>
    places.flatMap(([place, { type }]) => (type.kind === 'struct' ? below(type.fields, `${place}.`) : []));
  const first = inside(below(checker.schema, ''));
  return [...first, ...inside(first)].find(([place]) => place.endsWith(`.${name}`))?.[0];
}

function stepOf(checker: Checker, place: string, name: string, field: Field): Step {
  if (field.namespace) {
    checker.namespaces.add(place);
    return { field: name, absent: 'namespace-absent', namespace: place };
  }
  if (field.default !== undefined) return { field: name, absent: 'default', default: field.default };
  return { field: name, absent: 'missing-field' };
}

const pathOf = (plan: Plan): string => (plan.op === 'path' ? plan.steps.map(({ field }) => field).join('.') : '');

/** Fields that a message lists, where none of them is near. */
const maxListed = 8;

type Member = Expression & { readonly kind: 'member' | 'has' };

/** The struct's field, or the problem reported. */
function findField(checker: Checker, node: Member, type: Type & { kind: 'struct' }): Field | undefined {
  const field = own(type.fields, node.field);
  if (visible(checker, field)) return field;
  const names = visibleNames(checker, type.fields);
  const near = suggestion(node.field, names);
  const listed = near.suggestion === undefined && names.length <= maxListed ? `: ${names.join(', ')}` : '';
  checker.report({
    message: `field does not exist: ${node.field}`,
    span: node.fieldSpan,
    ...(field ? onlyInCel : { expected: `a field of ${type.name}${listed}`, ...near }),
  });
  return undefined;
}

const unknown = (source: Expression): Plan => ({ op: 'constant', source, type: types.none, value: null });

export function inferMember(checker: Checker, node: Expression & { kind: 'member' }, scope: Scope): Plan {
  const object = checker.infer(node.object, scope);
  const { type } = object;
  if (type.kind === 'none') return unknown(node);
  if (type.kind === 'struct') {
    const field = findField(checker, node, type);
    if (field === undefined) return unknown(node);
    const place = fieldPlace(node.object, node.field, scope);
    const guarded = place !== undefined && scope.present.has(place);
    if (field.optional && !guarded && checker.language === 'cel') {
      const message = `\`${node.field}\` may be absent: test for it first`;
      return refuse(checker, node, {
        message,
        span: node.fieldSpan,
        expected: `has(${place ?? `….${node.field}`}) && …`,
      });
    }
    const step = stepOf(checker, `${pathOf(object)}.${node.field}`, node.field, field);
    if (object.op === 'path') return { op: 'path', source: node, type: field.type, steps: [...object.steps, step] };
    return { op: 'field', source: node, type: field.type, object, step };
  }
  if (type.kind === 'map' && isText(type.key)) return select(node, object, type.value, lookUp(node.field));
  if (isDynamic(type)) return select(node, object, type, selectDynamic(node.field));
  const message = `${describeType(type)} has no fields`;
  return refuse(checker, node, { message, span: node.fieldSpan });
}

const select = (source: Expression, object: Plan, type: Type, apply: Apply): Plan =>
  application({ source, type, name: 'select', apply, absent: noSuchKey, arguments: [object] });

/** Undefined where there is no such key. */
const lookUp =
  (key: string): Apply =>
  (map: ReadonlyMap<string, Value>) =>
    map.get(key) as Value;

const selectDynamic =
  (key: string) =>
  (value: Value): Value => {
    const found = isMap(value)
      ? value.get(key)
      : kindOf(value) === 'struct' && isStruct(value)
        ? own(value, key)
        : null;
    if (found === null && !isMap(value) && kindOf(value) !== 'struct') throw typeMismatch;
    if (found === undefined) throw noSuchKey;
    return found;
  };

export function inferHas(checker: Checker, node: Expression & { kind: 'has' }, scope: Scope): Plan {
  const object = checker.infer(node.object, scope);
  const { type } = object;
  if (type.kind === 'struct') {
    const field = findField(checker, node, type);
    if (field?.namespace) checker.namespaces.add(`${pathOf(object)}.${node.field}`);
  } else if (!isDynamic(type) && type.kind !== 'none' && !(type.kind === 'map' && isText(type.key))) {
    const message = `${describeType(type)} has no fields`;
    if (!checker.dynamic) return refuse(checker, node, { message });
  }
  return { op: 'has', source: node, type: types.bool, object, field: node.field };
}

export function inferIndex(checker: Checker, node: Expression & { kind: 'index' }, scope: Scope): Plan {
  const object = checker.infer(node.object, scope);
  const { type } = object;
  const index = checker.infer(node.index, scope, type.kind === 'map' ? type.key : undefined);
  const result = (elementType: Type, at: Apply, absent?: Failure): Plan =>
    application({
      source: node,
      type: elementType,
      name: 'index',
      apply: at,
      ...(absent && { absent }),
      arguments: [object, index],
    });
  if (type.kind === 'none' || index.type.kind === 'none') return unknown(node);
  if (type.kind === 'map' && !isDynamic(type.key) && conversion(index.type, type.key) === null)
    return result(type.value, (map: ReadonlyMap<Value, Value>, key: Value) => map.get(key) as Value, noSuchKey);
  if (type.kind === 'list' && isInteger(index.type)) return result(type.element, itemAt as Apply, indexOutOfRange);
  if (checker.language === 'turnkey' && isText(type) && isInteger(index.type)) return result(type, textAt);
  if (checker.dynamic || isDynamic(type)) {
    const tag = checker.dynamic ? toDynamic(index.type) : null;
    const resultType =
      type.kind === 'list' ? type.element : type.kind === 'map' ? type.value : isDynamic(type) ? type : types.dyn;
    return result(resultType, (container: Value, key: Value) => dynamicAt(container, tag === null ? key : tag(key)));
  }
  if (type.kind === 'map' || type.kind === 'list') {
    const expected = type.kind === 'map' ? describeType(type.key) : 'int';
    return refuse(checker, node.index, { message: `the index is ${describeType(index.type)}`, expected });
  }
  return refuse(checker, node, {
    message: `${describeType(type)} has no elements`,
    span: node.object.span,
    expected: 'list or map',
  });
}

const mapAt = (map: ReadonlyMap<Value, Value>, key: Value): Value => {
  const found = map.get(key);
  if (found === undefined) throw noSuchKey;
  return found;
};

const itemAt = (list: readonly Value[], index: bigint): Value | undefined =>
  index >= 0n && index < BigInt(list.length) ? list[Number(index)] : undefined;

const listAt = (list: readonly Value[], index: bigint): Value => {
  const found = itemAt(list, index);
  if (found === undefined) throw indexOutOfRange;
  return found;
};

const textAt = (text: string, index: bigint): string => substring(text, index, index + 1n);

/** Doubles and uints find what the equal int does. */
function dynamicAt(container: Value, index: Value): Value {
  const plain = untag(index);
  const isWhole = typeof plain === 'number' && Number.isInteger(plain);
  const key = isWhole ? BigInt(plain) : plain;
  if (kindOf(index) === 'timestamp' || kindOf(index) === 'duration') throw typeMismatch;
  if (isList(container)) {
    if (typeof key !== 'bigint') throw typeMismatch;
    return listAt(container, key);
  }
  if (isMap(container)) {
    if (typeof key !== 'bigint' && typeof key !== 'string' && typeof key !== 'boolean' && typeof key !== 'number')
      throw typeMismatch;
    return mapAt(container, key);
  }
  if (kindOf(container) === 'struct' && isStruct(container) && typeof key === 'string')
    return selectDynamic(key)(container);
  throw typeMismatch;
}

export function inferSlice(checker: Checker, node: Expression & { kind: 'slice' }, scope: Scope): Plan {
  const object = checker.infer(node.object, scope);
  const [from, to] = [node.from, node.to].map((bound) => {
    const plan = checker.infer(bound, scope, types.int);
    const fits = isInteger(plan.type) ? plan : coerce(plan, types.int);
    return fits ?? refuse(checker, bound, { message: `the bound is ${describeType(plan.type)}`, expected: 'int' });
  }) as [Plan, Plan];
  const { type } = object;
  if (type.kind === 'none') return unknown(node);
  const sliceAny = (value: Value, start: bigint, end: bigint): Value => {
    if (typeof value === 'string') return substring(value, start, end);
    if (isList(value) || value instanceof Uint8Array) return slice(value, start, end);
    throw typeMismatch;
  };
  if (!isText(type) && type.kind !== 'list' && type.kind !== 'bytes' && !isDynamic(type)) {
    return refuse(checker, node, {
      message: `${describeType(type)} has no slices`,
      span: node.object.span,
      expected: 'string, bytes or list',
    });
  }
  // A part of an address is no address.
  const result = type.kind === 'address' ? types.caseless : type;
  return application({ source: node, type: result, name: 'slice', apply: sliceAny, arguments: [object, from, to] });
}
