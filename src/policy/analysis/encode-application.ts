/** Operators and functions. */
import { rangeOf } from '../numbers.ts';
import type { Plan } from '../plan.ts';
import { isInteger } from '../type-relations.ts';
import type { Type } from '../types.ts';
import { historyKey } from '../windows.ts';
import { type Encoder, encode } from './encode.ts';
import { encodeArithmetic, encodeNegation } from './encode-arithmetic.ts';
import { encodeEquality, encodeIn } from './encode-equality.ts';
import { itemsOf, sizeOf } from './encode-loop.ts';
import { encodeTextFunction, foldText } from './encode-text.ts';
import { bool, type Encoded, type Encoding, inOrder, int } from './encoding.ts';
import { lengthOfArray, memberOf } from './members.ts';
import { and, apply, falsity, integer, not, or, type Term } from './smt.ts';
import { historyPlace, inRange, placeEncoding, type Symbols, symbolOf, tagOf, textEncoding } from './symbols.ts';
import { tabulate } from './tabulate.ts';
import { unknown } from './unknown.ts';

export type Application = Plan & { readonly op: 'apply' };

/** What an application gives where its arguments do not fail, and whether it fails itself. */
export type Applied = { readonly value: Encoding; readonly error: Term };

export const without = (value: Encoding): Applied => ({ value, error: falsity });

export function encodeApplication(encoder: Encoder, plan: Application): Encoded {
  const history = plan.source.kind === 'call' ? historyKey(plan.source) : undefined;
  if (history !== undefined) return encodeHistory(encoder.symbols, history, plan.type);
  const parts = plan.arguments.map((argument) => encode(encoder, argument));
  const values = parts.map(({ value }) => value);
  const applied = applyKnown(encoder, plan, values) ?? tabulate(encoder.symbols, plan, values);
  if (!applied) return unknown(encoder, plan, parts);
  return { value: applied.value, ...inOrder([...parts, { absent: falsity, error: applied.error }]) };
}

function applyKnown(encoder: Encoder, plan: Application, values: readonly Encoding[]): Applied | undefined {
  const { symbols } = encoder;
  const [a, b] = values as [Encoding, Encoding | undefined];
  switch (plan.name) {
    case '==':
      return b && encodeEquality(symbols, plan, a, b);
    case '!=': {
      const equality = b && encodeEquality(symbols, plan, a, b);
      return equality && { ...equality, value: negation(equality.value) };
    }
    case '!':
      return without(negation(a));
    case '<':
    case '<=':
    case '>':
    case '>=':
      return b && encodeOrder(symbols, plan.name, a, b);
    case 'in':
      return b && encodeIn(symbols, plan, a, b);
    case '-':
      return b ? encodeArithmetic(encoder.language, plan, a, b) : encodeNegation(encoder.language, plan, a);
    case '+':
    case '*':
    case '/':
    case '%':
      return encodeArithmetic(encoder.language, plan, a, b as Encoding) ?? encodeTextFunction(symbols, plan, values);
    case 'string':
      return a.kind === 'literal' || a.kind === 'text' ? without(a) : undefined;
    case 'convert':
      return encodeConversion(symbols, plan, a);
    case 'select':
      return plan.source.kind === 'member' ? encodeMember(symbols, a, plan.source.field) : undefined;
    case 'index':
      return encodeIndex(symbols, a, b) ?? encodeTextFunction(symbols, plan, values);
    case 'CaseInsensitiveString': {
      const folded = a.kind === 'literal' || a.kind === 'text' ? foldText(symbols, a) : undefined;
      return folded && without(folded);
    }
    case 'count':
    case 'size': {
      if (a.kind === 'dynamic' && plan.name === 'count') {
        const count = lengthOfArray(symbols, a);
        return { value: int(count), error: not(tagOf(symbols, a.place, 'list')) };
      }
      const size = sizeOf(symbols, a);
      return size === undefined ? encodeTextFunction(symbols, plan, values) : without(int(size));
    }
    case 'int':
    case 'uint':
    case 'uint256':
      return encodeNarrowing(plan, a);
    default:
      return encodeTime(plan, a) ?? encodeTextFunction(symbols, plan, values);
  }
}

const negation = (value: Encoding): Encoding => (value.kind === 'bool' ? bool(not(value.term)) : value);

function encodeOrder(symbols: Symbols, operator: string, a: Encoding, b: Encoding): Applied | undefined {
  if (a.kind === 'int' && b.kind === 'int') return without(bool(apply(operator, a.term, b.term)));
  const number = (value: Encoding): Applied | undefined => {
    if (value.kind === 'int') return without(value);
    if (value.kind !== 'dynamic') return undefined;
    const { term } = symbolOf(symbols, value.place, 'int', { kind: 'value' });
    return { value: int(term), error: not(tagOf(symbols, value.place, 'int')) };
  };
  const [left, right] = [number(a), number(b)];
  // Two decoded arguments may both be texts, which are ordered too.
  if (left?.value.kind !== 'int' || right?.value.kind !== 'int' || (a.kind === 'dynamic' && b.kind === 'dynamic'))
    return undefined;
  return { value: bool(apply(operator, left.value.term, right.value.term)), error: or(left.error, right.error) };
}

/** To another static type, or from a decoded argument, which has to be of the type. */
function encodeConversion(symbols: Symbols, { type }: Application, value: Encoding): Applied | undefined {
  const fold = type.kind === 'address' || type.kind === 'caseless';
  if (value.kind === 'dynamic') {
    const expect = (tag: Parameters<typeof tagOf>[2], found: Encoding): Applied => ({
      value: found,
      error: not(tagOf(symbols, value.place, tag)),
    });
    const at = (role: 'int' | 'bool'): Term => symbolOf(symbols, value.place, role, { kind: 'value' }).term;
    if (type.kind === 'bool') return expect('bool', bool(at('bool')));
    if (type.kind === 'int') return expect('int', int(at('int')));
    if (type.kind === 'uint') {
      const isUnsigned = and(tagOf(symbols, value.place, 'int'), apply('>=', at('int'), '0'));
      return { value: int(at('int')), error: not(isUnsigned) };
    }
    if (type.kind !== 'string' && !fold) return undefined;
    const text = textEncoding(symbols, value.place, 'text', { kind: 'value' });
    const folded = fold && text.kind === 'text' ? foldText(symbols, text) : text;
    return folded && expect('text', folded);
  }
  if (value.kind === 'literal' || value.kind === 'text') {
    const folded = fold ? foldText(symbols, value) : value;
    return folded && without(folded);
  }
  return value.kind === 'int' || value.kind === 'bool' ? without(value) : undefined;
}

function encodeMember(symbols: Symbols, container: Encoding, key: string | bigint): Applied | undefined {
  const found = memberOf(symbols, container, key);
  return found && { value: found.value, error: not(and(found.isContainer, found.there)) };
}

function encodeIndex(symbols: Symbols, container: Encoding, index: Encoding | undefined): Applied | undefined {
  if (index?.kind === 'literal') return encodeMember(symbols, container, index.text);
  if (index?.kind !== 'int' || !/^\d+$/.test(index.term)) return undefined;
  if (container.kind !== 'list') return encodeMember(symbols, container, BigInt(index.term));
  return indexList(symbols, container, Number(index.term));
}

function indexList(symbols: Symbols, list: Encoding & { kind: 'list' }, index: number): Applied | undefined {
  const items = itemsOf(symbols, list);
  const item = items?.[index];
  return item && { value: item.value, error: not(item.there) };
}

function encodeNarrowing(plan: Application, value: Encoding): Applied | undefined {
  const from = plan.arguments[0]?.type;
  if (value.kind !== 'int' || !from || !isInteger(from) || !isInteger(plan.type)) return undefined;
  const { min, max } = rangeOf(plan.type, 'cel');
  return { value, error: not(inRange(value.term, [min, max])) };
}

const second = 1_000_000_000n;
/** Of the UTC clock: ns of the unit, and how many of it there are before it starts anew. */
const clocks: Readonly<Record<string, readonly [bigint, bigint]>> = {
  getHours: [3600n * second, 24n],
  getMinutes: [60n * second, 60n],
  getSeconds: [second, 60n],
  getMilliseconds: [1_000_000n, 1000n],
};

function encodeTime({ name, arguments: args }: Application, value: Encoding): Applied | undefined {
  if (value.kind !== 'int' || args.length !== 1 || args[0]?.type.kind !== 'timestamp') return undefined;
  const clock = clocks[name];
  if (clock) return without(int(apply('mod', apply('div', value.term, integer(clock[0])), integer(clock[1]))));
  if (name !== 'getDayOfWeek') return undefined;
  // 1970 began on a Thursday.
  const days = apply('div', value.term, integer(86_400n * second));
  return without(int(apply('mod', apply('+', days, '4'), '7')));
}

/** Anything of the type; after a restored state, or of what cannot be decoded, there is no answer. Sums are never negative. */
function encodeHistory(symbols: Symbols, key: string, type: Type): Encoded {
  const place = historyPlace(key);
  const there = symbolOf(symbols, place, 'present', type).term;
  const value = placeEncoding(symbols, place, type);
  if (value.kind === 'int') symbols.script.assert(apply('>=', value.term, '0'));
  return { value, absent: falsity, error: not(there) };
}
