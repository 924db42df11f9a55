/** Exact integers; a result out of the type's range is an error. */
import { rangeOf } from '../numbers.ts';
import type { Language } from '../syntax.ts';
import { isInteger } from '../type-relations.ts';
import type { Type } from '../types.ts';
import type { Application, Applied } from './encode-application.ts';
import { type Encoding, int } from './encoding.ts';
import { and, apply, equal, falsity, ite, not, or, type Term } from './smt.ts';
import { inRange } from './symbols.ts';

function boundsOf(type: Type, language: Language): readonly [bigint, bigint] | undefined {
  if (isInteger(type)) {
    const { min, max } = rangeOf(type, language);
    return [min, max];
  }
  if (type.kind === 'timestamp') return [-62_135_596_800_000_000_000n, 253_402_300_799_999_999_999n];
  return type.kind === 'duration' ? [-(2n ** 63n), 2n ** 63n - 1n] : undefined;
}

export function encodeNegation(language: Language, { type }: Application, a: Encoding): Applied | undefined {
  const bounds = boundsOf(type, language);
  if (a.kind !== 'int' || !bounds) return undefined;
  const term = apply('-', a.term);
  return { value: int(term), error: not(inRange(term, bounds)) };
}

export function encodeArithmetic(
  language: Language,
  { name, type }: Application,
  a: Encoding,
  b: Encoding,
): Applied | undefined {
  const bounds = boundsOf(type, language);
  if (a.kind !== 'int' || b.kind !== 'int' || !bounds) return undefined;
  if (name === '/' || name === '%') {
    const term = name === '/' ? quotient(a.term, b.term) : remainder(a.term, b.term);
    const overflow = name === '/' ? not(inRange(term, bounds)) : falsity;
    const zero = equal(b.term, '0');
    return { value: int(term), error: or(zero, and(not(zero), overflow)) };
  }
  const term = apply(name, a.term, b.term);
  return { value: int(term), error: not(inRange(term, bounds)) };
}

const isLiteral = (term: Term): boolean => /^\d+$/.test(term);
const negative = (term: Term): Term => (isLiteral(term) ? falsity : apply('<', term, '0'));
const size = (term: Term): Term => ite(negative(term), apply('-', term), term);

/** Towards zero, where SMT-LIB rounds down. */
function quotient(a: Term, b: Term): Term {
  const whole = apply('div', size(a), size(b));
  const opposite = isLiteral(b) ? negative(a) : apply('xor', negative(a), negative(b));
  return ite(opposite, apply('-', whole), whole);
}

/** With the sign of the dividend. */
function remainder(a: Term, b: Term): Term {
  const rest = apply('mod', size(a), size(b));
  return ite(negative(a), apply('-', rest), rest);
}
