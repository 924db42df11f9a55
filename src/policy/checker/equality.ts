import { dynamicEquals, toDynamic } from '../dynamic.ts';
import { type Apply, identical } from '../plan.ts';
import { foldCase, isAddress } from '../text.ts';
import { isCaseless, isDynamic, isInteger, isText } from '../type-relations.ts';
import type { Type, Value } from '../types.ts';
import { argumentEquals, compareBytes } from '../values.ts';
import type { Checker } from './checker.ts';

export type Equality = {
  readonly apply: Apply;
  readonly total: boolean;
  /** Of decoded arguments: whether one that is a text is among these, as `apply` would find. */
  readonly isAmong?: (texts: readonly string[]) => (text: string) => boolean;
};

const exact: Equality = { apply: identical, total: true };

/** How values of two types are compared; undefined where they never can be. */
export function equalityOf(a: Type, b: Type, checker: Pick<Checker, 'language' | 'dynamic'>): Equality | undefined {
  if (a.kind === 'none' || b.kind === 'none') return exact;
  if (checker.dynamic || a.kind === 'dyn' || b.kind === 'dyn') return dynamicEquality(a, b);
  if (isDynamic(a) || isDynamic(b)) return argumentEquality(a, b);
  if (isInteger(a) && isInteger(b)) {
    return a.kind === b.kind || a.wide || b.wide || checker.language === 'turnkey' ? exact : undefined;
  }
  if (isText(a) && isText(b)) {
    if (isCaseless(a) === isCaseless(b)) return exact;
    return { apply: (left: string, right: string) => foldCase(left) === foldCase(right), total: true };
  }
  if (a.kind === 'list' && b.kind === 'list') {
    const element = equalityOf(a.element, b.element, checker);
    return element && listEquality(element);
  }
  if (a.kind === 'map' && b.kind === 'map') {
    const value = equalityOf(a.value, b.value, checker);
    return value && equalityOf(a.key, b.key, checker) && mapEquality(value);
  }
  if (a.kind !== b.kind || a.kind === 'struct') return undefined;
  if (a.kind === 'bytes')
    return { apply: (left: Uint8Array, right: Uint8Array) => compareBytes(left, right) === 0, total: true };
  return exact;
}

function dynamicEquality(a: Type, b: Type): Equality {
  const [left, right] = [toDynamic(a), toDynamic(b)];
  if (left === null && right === null) return { apply: dynamicEquals, total: true };
  const [tagLeft, tagRight] = [left ?? ((value: Value) => value), right ?? ((value: Value) => value)];
  return { apply: (x: Value, y: Value) => dynamicEquals(tagLeft(x), tagRight(y)), total: true };
}

const comparable = new Set([
  'null',
  'bool',
  'int',
  'uint',
  'double',
  'string',
  'bytes',
  'address',
  'caseless',
  'value',
]);

function argumentEquality(a: Type, b: Type): Equality | undefined {
  const fits = (type: Type): boolean =>
    type.kind === 'list' ? fits(type.element) : comparable.has(type.kind) || type.kind === 'none';
  if (!fits(a) || !fits(b)) return undefined;
  const foldsCase = (type: Type): boolean =>
    type.kind === 'list'
      ? foldsCase(type.element)
      : isCaseless(type) || (type.kind === 'value' && type.caseless === true);
  const caseless = foldsCase(a) || foldsCase(b);
  const isAmong = (texts: readonly string[]) => {
    const exact = new Set(texts);
    const folded = new Set(texts.filter((text) => caseless || isAddress(text)).map(foldCase));
    return (text: string) => exact.has(text) || (folded.has(foldCase(text)) && (caseless || isAddress(text)));
  };
  return { apply: (left: Value, right: Value) => argumentEquals(left, right, caseless), total: false, isAmong };
}

function listEquality({ apply, total }: Equality): Equality {
  const equals = (a: readonly Value[], b: readonly Value[]): boolean =>
    a.length === b.length && a.every((item, index) => apply(item, b[index] ?? null) === true);
  return { apply: equals, total };
}

function mapEquality({ apply, total }: Equality): Equality {
  const equals = (a: ReadonlyMap<string, Value>, b: ReadonlyMap<string, Value>): boolean => {
    if (a.size !== b.size) return false;
    for (const [key, value] of a) {
      const other = b.get(key);
      if (other === undefined || apply(value, other) !== true) return false;
    }
    return true;
  };
  return { apply: equals, total };
}
