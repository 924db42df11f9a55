import { dynamicEquals, kindOf, Tagged, toDynamic, untag } from '../dynamic.ts';
import type { Problem } from '../errors.ts';
import { noSuchOverload, overflow } from '../failure.ts';
import { rangeOf } from '../numbers.ts';
import { type Apply, application, different, identical, type Plan } from '../plan.ts';
import type { BinaryOperator, Expression } from '../syntax.ts';
import { describeType, isDynamic, isInteger, isText, types } from '../type-relations.ts';
import type { Type, Value } from '../types.ts';
import { argumentEquals, isList, isMap } from '../values.ts';
import { type ArithmeticOperator, arithmeticOf } from './arithmetic.ts';
import { type Checker, refuse, type Scope } from './checker.ts';
import { coerce } from './coerce.ts';
import { equalityOf } from './equality.ts';
import { isFlexible } from './literals.ts';
import { type OrderOperator, orderOf } from './order.ts';
import { after } from './presence.ts';

type Binary = Expression & { readonly kind: 'binary' };

export function inferBinary(checker: Checker, node: Binary, scope: Scope, hint: Type | undefined): Plan {
  switch (node.operator) {
    case '&&':
    case '||':
      return inferLogic(checker, node, node.operator, scope);
    case 'in':
      return inferIn(checker, node, node.left, node.right, scope);
    case '==':
    case '!=':
      return inferEquality(checker, node, node.operator, scope);
    case '<':
    case '<=':
    case '>':
    case '>=':
      return inferOrder(checker, node, node.operator, scope);
    default:
      return inferArithmetic(checker, node, node.operator, scope, hint);
  }
}

/** As a bool, or the problem reported. */
export function inferBool(checker: Checker, node: Expression, scope: Scope): Plan {
  const plan = checker.infer(node, scope, types.bool);
  const fits = coerce(plan, types.bool);
  return (
    fits ??
    (checker.dynamic
      ? coerceDynamic(plan, types.bool)
      : refuse(checker, node, { message: `this is ${describeType(plan.type)}`, expected: 'bool' }))
  );
}

/** What does not fit statically becomes an error at evaluation. */
export function coerceDynamic(plan: Plan, to: Type): Plan {
  const dynamic = coerce(plan, types.dyn) ?? plan;
  return coerce(dynamic, to) ?? dynamic;
}

/** The operands of a chain of one operator, however it is nested. */
function flatten(node: Expression, operator: BinaryOperator): Expression[] {
  const operands: Expression[] = [];
  const rest: Expression[] = [node];
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    if (next.kind === 'binary' && next.operator === operator) rest.push(next.right, next.left);
    else operands.push(next);
  }
  return operands;
}

function inferLogic(checker: Checker, node: Binary, operator: '&&' | '||', scope: Scope): Plan {
  let current = scope;
  const operands: Plan[] = [];
  for (const operand of flatten(node, operator)) {
    operands.push(inferBool(checker, operand, current));
    current = after(operand, operator === '&&', current);
  }
  return { op: operator === '&&' ? 'and' : 'or', source: node, type: types.bool, operands };
}

/** Both sides; a literal takes the type of the other side. */
function inferPair(
  checker: Checker,
  left: Expression,
  right: Expression,
  scope: Scope,
  hint?: Type,
): readonly [Plan, Plan] {
  if (isFlexible(left) && !isFlexible(right)) {
    const other = checker.infer(right, scope);
    return [checker.infer(left, scope, other.type), other];
  }
  const first = checker.infer(left, scope, hint);
  return [first, checker.infer(right, scope, first.type.kind === 'none' ? hint : first.type)];
}

function mismatch(checker: Checker, node: Binary, left: Plan, right: Plan, expected?: string): Plan {
  if (left.type.kind === 'none' || right.type.kind === 'none')
    return { op: 'constant', source: node, type: types.none, value: null };
  const message = `no \`${node.operator}\` between ${describeType(left.type)} and ${describeType(right.type)}`;
  const wanted = expected ?? (isFlexible(node.left) ? describeType(right.type) : describeType(left.type));
  const culprit = isFlexible(node.left) ? node.left : node.right;
  const other = culprit === node.left ? right.type : left.type;
  return refuse(checker, node, { message, span: culprit.span, expected: wanted, ...withoutQuotes(culprit, other) });
}

/** Numbers are written without quotes. */
function withoutQuotes(node: Expression, wanted: Type): Pick<Problem, 'expected' | 'suggestion'> {
  if (!isInteger(wanted) || node.kind !== 'literal' || node.literal.type !== 'string') return {};
  const { value } = node.literal;
  return /^\d{1,78}$/.test(value) ? { suggestion: value } : { expected: `${wanted.kind}, a number without quotes` };
}

function inferEquality(checker: Checker, node: Binary, operator: '==' | '!=', scope: Scope): Plan {
  const [left, right] = inferPair(checker, node.left, node.right, scope);
  const equality = equalityOf(left.type, right.type, checker);
  if (equality === undefined) return mismatch(checker, node, left, right);
  const { apply, total } = equality;
  const unequal = apply === identical ? different : (a: Value, b: Value) => apply(a, b) !== true;
  const cost = left.type.kind === 'list' ? left.type.maxItems : 1;
  const test = operator === '==' ? apply : unequal;
  return application({
    source: node,
    type: types.bool,
    name: operator,
    apply: test,
    total,
    cost,
    arguments: [left, right],
  });
}

function inferOrder(checker: Checker, node: Binary, operator: OrderOperator, scope: Scope): Plan {
  const [left, right] = inferPair(checker, node.left, node.right, scope);
  const order = orderOf(operator, left.type, right.type, checker);
  if (order === undefined) return mismatch(checker, node, left, right);
  return application({ source: node, type: types.bool, name: operator, ...order, arguments: [left, right] });
}

function inferArithmetic(
  checker: Checker,
  node: Binary,
  operator: ArithmeticOperator,
  scope: Scope,
  hint: Type | undefined,
): Plan {
  const [left, right] = inferPair(checker, node.left, node.right, scope, hint);
  if (left.type.kind === 'none' || right.type.kind === 'none') return mismatch(checker, node, left, right);
  const operation = arithmeticOf(operator, left.type, right.type, checker);
  if (operation === undefined) return mismatch(checker, node, left, right);
  return application({ source: node, name: operator, ...operation, arguments: [left, right] });
}

const primitives = new Set(['bool', 'int', 'uint', 'string', 'address', 'caseless', 'timestamp', 'duration']);

/** `element in container`, which Turnkey's language also writes `container.contains(element)`. */
export function inferIn(
  checker: Checker,
  node: Expression,
  element: Expression,
  container: Expression,
  scope: Scope,
): Plan {
  let left: Plan;
  let right: Plan;
  if (isFlexible(element) && !isFlexible(container)) {
    right = checker.infer(container, scope);
    const { type } = right;
    left = checker.infer(element, scope, type.kind === 'list' ? type.element : type.kind === 'map' ? type.key : type);
  } else {
    left = checker.infer(element, scope);
    right = checker.infer(container, scope, { kind: 'list', element: left.type, maxItems: 0 });
  }
  const { type } = right;
  const none: Plan = { op: 'constant', source: node, type: types.none, value: null };
  if (left.type.kind === 'none' || type.kind === 'none') return none;
  const result = (apply: Apply, total: boolean, cost = 1): Plan =>
    application({ source: node, type: types.bool, name: 'in', apply, total, cost, arguments: [left, right] });
  if (checker.dynamic || type.kind === 'dyn' || type.kind === 'value') {
    const tag = toDynamic(left.type);
    const tagged = (value: Value): Value => (tag ? tag(value) : value);
    const strict = !checker.dynamic;
    const items = type.kind === 'list' && !isDynamic(type.element) ? toDynamic(type) : null;
    return result((a: Value, b: Value) => dynamicIn(tagged(a), items ? items(b) : b, strict, type), false, 256);
  }
  if (type.kind === 'map') {
    const fits = equalityOf(left.type, type.key, checker);
    if (fits?.apply === identical) return result((a: string, b: ReadonlyMap<string, Value>) => b.has(a), true);
  }
  if (type.kind === 'list') {
    const equality = equalityOf(left.type, type.element, checker);
    if (equality !== undefined) {
      const set =
        equality.apply === identical && primitives.has(left.type.kind) && right.op === 'constant' && isList(right.value)
          ? new Set(right.value)
          : undefined;
      if (set !== undefined) return result((a: Value) => set.has(a), true);
      const { apply } = equality;
      const among = right.op === 'constant' && areTexts(right.value) ? equality.isAmong?.(right.value) : undefined;
      const find: Apply = (a: Value, b: readonly Value[]) =>
        among && typeof a === 'string' ? among(a) : includes(b, a, apply);
      return result(find, equality.total, type.maxItems);
    }
  }
  return refuseIn(checker, element, container, left.type, type);
}

const areTexts = (value: Value): value is readonly string[] =>
  isList(value) && value.every((item) => typeof item === 'string');

function refuseIn(checker: Checker, element: Expression, container: Expression, left: Type, type: Type): Plan {
  const elements = type.kind === 'list' ? type.element : type.kind === 'map' ? type.key : undefined;
  if (elements === undefined) {
    const hint = isText(type) ? ': this is no test for a part of a text' : '';
    return refuse(checker, container, {
      message: `${describeType(type)} has no elements${hint}`,
      expected: 'list or map',
    });
  }
  const message = `no \`in\` between ${describeType(left)} and ${describeType(type)}`;
  if (isFlexible(element))
    return refuse(checker, element, { message, expected: describeType(elements), ...withoutQuotes(element, elements) });
  return refuse(checker, container, { message, expected: `list(${describeType(left)})` });
}

/** Strict: every element is compared, so that one of another type is noticed. */
function includes(list: readonly Value[], element: Value, equals: (a: Value, b: Value) => Value): boolean {
  let found = false;
  for (const item of list) if (equals(element, item) === true) found = true;
  return found;
}

function dynamicIn(element: Value, container: Value, strict: boolean, type: Type): boolean {
  const caseless = type.kind === 'value' && type.caseless === true;
  if (isList(container)) {
    const equals = strict ? (a: Value, b: Value) => argumentEquals(untag(a), untag(b), caseless) : dynamicEquals;
    return includes(container, element, equals);
  }
  if (isMap(container)) {
    const key = untag(element);
    const whole = typeof key === 'number' && Number.isInteger(key) ? BigInt(key) : key;
    return container.has(whole as string);
  }
  if (kindOf(container) === 'struct' && typeof element === 'string') return Object.hasOwn(container as object, element);
  throw noSuchOverload;
}

export function inferUnary(
  checker: Checker,
  node: Expression & { kind: 'unary' },
  scope: Scope,
  hint: Type | undefined,
): Plan {
  if (node.operator === '!') {
    const operand = inferBool(checker, node.operand, scope);
    return application({
      source: node,
      type: types.bool,
      name: '!',
      apply: (value: boolean) => !value,
      total: true,
      arguments: [operand],
    });
  }
  const operand = checker.infer(node.operand, scope, hint?.kind === 'uint' ? types.wideInt : hint);
  const { type } = operand;
  if (type.kind === 'none') return operand;
  if (type.kind === 'double') {
    return application({
      source: node,
      type,
      name: '-',
      apply: (value: number) => -value,
      total: true,
      arguments: [operand],
    });
  }
  if (isInteger(type) && (type.kind === 'int' || type.wide)) {
    const result: Type & { kind: 'int' } = { kind: 'int', wide: type.wide };
    const { min, max } = rangeOf(result, checker.language);
    const negate = (value: bigint): bigint => {
      if (-value < min || -value > max) throw overflow;
      return -value;
    };
    return application({ source: node, type: result, name: '-', apply: negate, arguments: [operand] });
  }
  if (isDynamic(type) || checker.dynamic) {
    const tag = toDynamic(type);
    return application({
      source: node,
      type: isDynamic(type) ? type : types.dyn,
      name: '-',
      apply: (value: Value) => negateDynamic(tag ? tag(value) : value, checker),
      arguments: [operand],
    });
  }
  return refuse(checker, node, {
    message: `no \`-\` of ${describeType(type)}`,
    span: node.operand.span,
    expected: 'int or double',
  });
}

function negateDynamic(value: Value, checker: Checker): Value {
  if (value instanceof Tagged) throw noSuchOverload;
  if (typeof value === 'number') return -value;
  if (typeof value !== 'bigint') throw noSuchOverload;
  const { min, max } = rangeOf(checker.dynamic ? types.int : types.wideInt, checker.language);
  if (-value < min || -value > max) throw overflow;
  return -value;
}
