import { kindOf, Tagged, toDynamic, untag } from '../dynamic.ts';
import { noSuchOverload, tooLarge } from '../failure.ts';
import { maxBuiltSize } from '../limits.ts';
import { doubleArithmetic, integerArithmetic, rangeOf } from '../numbers.ts';
import type { Apply } from '../plan.ts';
import { bounded } from '../text.ts';
import { checkDuration, checkTimestamp } from '../time.ts';
import { isDynamic, isInteger, isText, join, listOf, types } from '../type-relations.ts';
import type { Type, Value } from '../types.ts';
import type { Checker } from './checker.ts';

export type ArithmeticOperator = '+' | '-' | '*' | '/' | '%';
type Operation = { readonly type: Type; readonly apply: Apply };

const concatBytes = (a: Uint8Array, b: Uint8Array): Uint8Array => bounded(new Uint8Array(Buffer.concat([a, b])));
const concatLists = (a: readonly Value[], b: readonly Value[]): readonly Value[] => bounded([...a, ...b]);
const concatTexts = (a: string, b: string): string => {
  if (a.length + b.length > maxBuiltSize) throw tooLarge;
  return a + b;
};

/** Operators on time, by the types of both sides. */
const temporal: Readonly<Record<string, Operation>> = {
  'timestamp + duration': { type: types.timestamp, apply: (a: bigint, b: bigint) => checkTimestamp(a + b) },
  'duration + timestamp': { type: types.timestamp, apply: (a: bigint, b: bigint) => checkTimestamp(a + b) },
  'duration + duration': { type: types.duration, apply: (a: bigint, b: bigint) => checkDuration(a + b) },
  'timestamp - timestamp': { type: types.duration, apply: (a: bigint, b: bigint) => checkDuration(a - b) },
  'timestamp - duration': { type: types.timestamp, apply: (a: bigint, b: bigint) => checkTimestamp(a - b) },
  'duration - duration': { type: types.duration, apply: (a: bigint, b: bigint) => checkDuration(a - b) },
};

/** The operation for two static types; undefined where there is none. */
export function arithmeticOf(operator: ArithmeticOperator, a: Type, b: Type, checker: Checker): Operation | undefined {
  if (isDynamic(a) || isDynamic(b)) return dynamicOperation(operator, a, b, checker);
  const found = staticOperation(operator, a, b, checker);
  return found ?? (checker.dynamic ? dynamicOperation(operator, a, b, checker) : undefined);
}

function staticOperation(operator: ArithmeticOperator, a: Type, b: Type, { language }: Checker): Operation | undefined {
  if (isInteger(a) && isInteger(b)) {
    const type = join(a, b);
    if (type === undefined || !isInteger(type)) return undefined;
    return { type, apply: integerArithmetic(operator, rangeOf(type, language)) };
  }
  if (a.kind === 'double' && b.kind === 'double') {
    return operator === '%' ? undefined : { type: types.double, apply: doubleArithmetic[operator] };
  }
  if (operator === '+') {
    if (isText(a) && isText(b))
      return { type: join(a, b) === types.string ? types.string : joinText(a, b), apply: concatTexts };
    if (a.kind === 'bytes' && b.kind === 'bytes') return { type: types.bytes, apply: concatBytes };
    if (a.kind === 'list' && b.kind === 'list') {
      const element = join(a.element, b.element);
      return element && { type: listOf(element, a.maxItems + b.maxItems), apply: concatLists };
    }
  }
  return temporal[`${a.kind} ${operator} ${b.kind}`];
}

/** Two addresses make no address. */
const joinText = (a: Type, b: Type): Type =>
  a.kind === 'string' && b.kind === 'string' ? types.string : types.caseless;

function dynamicOperation(operator: ArithmeticOperator, a: Type, b: Type, checker: Checker): Operation {
  const [left, right] = [toDynamic(a), toDynamic(b)];
  const wide = !checker.dynamic;
  const apply = (x: Value, y: Value): Value =>
    compute(operator, left ? left(x) : x, right ? right(y) : y, checker, wide);
  return { type: checker.dynamic ? types.dyn : types.value, apply };
}

function compute(operator: ArithmeticOperator, a: Value, b: Value, checker: Checker, wide: boolean): Value {
  const [left, right] = [typeOfKind(a, wide), typeOfKind(b, wide)];
  const operation = left && right && staticOperation(operator, left, right, checker);
  if (!operation) throw noSuchOverload;
  const result = operation.apply(untag(a), untag(b));
  const { kind } = operation.type;
  return kind === 'uint' || kind === 'timestamp' || kind === 'duration' ? new Tagged(kind, result as bigint) : result;
}

function typeOfKind(value: Value, wide: boolean): Type | undefined {
  const kind = kindOf(value);
  if (kind === 'int' || kind === 'uint') return { kind, wide };
  if (kind === 'list') return listOf(types.dyn, 0);
  return kind === 'map' || kind === 'struct' ? undefined : types[kind];
}
