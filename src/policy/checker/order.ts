import { kindOf, toDynamic, untag } from '../dynamic.ts';
import { noSuchOverload } from '../failure.ts';
import { type Apply, nativeOrder } from '../plan.ts';
import { compareText } from '../text.ts';
import { isCaseless, isDynamic, isInteger, isText } from '../type-relations.ts';
import type { Type, Value } from '../types.ts';
import { compareBytes, isBytes } from '../values.ts';
import type { Checker } from './checker.ts';

export type OrderOperator = '<' | '<=' | '>' | '>=';

const ofSign: Readonly<Record<OrderOperator, (sign: number) => boolean>> = {
  '<': (sign) => sign < 0,
  '<=': (sign) => sign <= 0,
  '>': (sign) => sign > 0,
  '>=': (sign) => sign >= 0,
};

/** How values of two types are ordered; undefined where they are not. */
export function orderOf(
  operator: OrderOperator,
  a: Type,
  b: Type,
  checker: Checker,
): { apply: Apply; total: boolean } | undefined {
  const test = ofSign[operator];
  const isCel = checker.language === 'cel';
  if (isDynamic(a) || isDynamic(b) || checker.dynamic) return { apply: dynamicOrder(operator, a, b), total: false };
  if (isInteger(a) && isInteger(b)) {
    return a.kind === b.kind || a.wide || b.wide || !isCel ? { apply: nativeOrder[operator], total: true } : undefined;
  }
  if (isText(a) && isText(b)) {
    if (!isCel || isCaseless(a) !== isCaseless(b)) return undefined;
    return { apply: (x: string, y: string) => test(compareText(x, y)), total: true };
  }
  if (a.kind !== b.kind) return undefined;
  if (a.kind === 'timestamp' || a.kind === 'duration' || a.kind === 'double')
    return { apply: nativeOrder[operator], total: true };
  if (a.kind === 'bool') return isCel ? { apply: nativeOrder[operator], total: true } : undefined;
  if (a.kind === 'bytes') return { apply: (x: Uint8Array, y: Uint8Array) => test(compareBytes(x, y)), total: true };
  return undefined;
}

const numbers = new Set(['int', 'uint', 'double']);
const ordered = new Set(['bool', 'timestamp', 'duration']);

function dynamicOrder(operator: OrderOperator, a: Type, b: Type): Apply {
  const [left, right] = [toDynamic(a), toDynamic(b)];
  const test = ofSign[operator];
  const order = nativeOrder[operator];
  return (x: Value, y: Value) => {
    const first = left ? left(x) : x;
    const second = right ? right(y) : y;
    if (typeof first === 'bigint' && typeof second === 'bigint') return order(first, second);
    const [kind, other] = [kindOf(first), kindOf(second)];
    if (numbers.has(kind) && numbers.has(other)) return order(untag(first), untag(second));
    if (kind !== other) throw noSuchOverload;
    if (ordered.has(kind)) return order(untag(first), untag(second));
    if (typeof first === 'string' && typeof second === 'string') return test(compareText(first, second));
    if (isBytes(first) && isBytes(second)) return test(compareBytes(first, second));
    throw noSuchOverload;
  };
}
