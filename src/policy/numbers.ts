import { divisionByZero, overflow } from './failure.ts';
import type { Language } from './syntax.ts';
import type { Type } from './types.ts';

export type IntegerType = Type & { readonly kind: 'int' | 'uint' };
export type Range = { readonly min: bigint; readonly max: bigint };

const uint256: Range = { min: 0n, max: 2n ** 256n - 1n };
const narrow = {
  cel: { int: { min: -(2n ** 63n), max: 2n ** 63n - 1n }, uint: { min: 0n, max: 2n ** 64n - 1n } },
  turnkey: { int: { min: -(2n ** 127n), max: 2n ** 127n - 1n }, uint: uint256 },
} as const satisfies Record<Language, Record<'int' | 'uint', Range>>;

/** A wide int holds what int256 and uint256 do, so that every amount has a place in it. */
const wide = { int: { min: -(2n ** 255n), max: uint256.max }, uint: uint256 } as const;

export const rangeOf = (type: IntegerType, language: Language): Range =>
  (type.wide ? wide : narrow[language])[type.kind];

type Arithmetic = '+' | '-' | '*' | '/' | '%';

/** Exact; beyond the range is an error, never a wrapped result. */
export function integerArithmetic(operator: Arithmetic, { min, max }: Range): (a: bigint, b: bigint) => bigint {
  const inRange = (value: bigint): bigint => {
    if (value < min || value > max) throw overflow;
    return value;
  };
  switch (operator) {
    case '+':
      return (a, b) => inRange(a + b);
    case '-':
      return (a, b) => inRange(a - b);
    case '*':
      return (a, b) => inRange(a * b);
    case '/':
      return (a, b) => {
        if (b === 0n) throw divisionByZero;
        return inRange(a / b);
      };
    case '%':
      return (a, b) => {
        if (b === 0n) throw divisionByZero;
        return a % b;
      };
  }
}

export const doubleArithmetic: Record<'+' | '-' | '*' | '/', (a: number, b: number) => number> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
};
