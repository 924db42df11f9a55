/** `==` and `in`, of values whose types are known and of decoded arguments. */
import { isAddress } from '../text.ts';
import { isCaseless } from '../type-relations.ts';
import type { Type } from '../types.ts';
import type { Application, Applied } from './encode-application.ts';
import { itemsOf } from './encode-loop.ts';
import { equalTexts, foldText } from './encode-text.ts';
import { bool, type Encoding, inOrder } from './encoding.ts';
import { dynamicItems, memberOf } from './members.ts';
import { and, apply, equal, falsity, not, or } from './smt.ts';
import { hasMember, type Symbols, symbolOf, tagOf, textEncoding } from './symbols.ts';

type Comparison = { readonly a: Type; readonly b: Type };

export function encodeEquality(symbols: Symbols, { arguments: args }: Application, a: Encoding, b: Encoding) {
  const [left, right] = args;
  return left && right && equality(symbols, { a: left.type, b: right.type }, a, b);
}

function equality(symbols: Symbols, types: Comparison, a: Encoding, b: Encoding): Applied | undefined {
  if (a.kind === 'int' && b.kind === 'int') return { value: bool(equal(a.term, b.term)), error: falsity };
  if (a.kind === 'bool' && b.kind === 'bool') return { value: bool(sameBool(a.term, b.term)), error: falsity };
  if (b.kind === 'dynamic' && a.kind !== 'dynamic') return equality(symbols, { a: types.b, b: types.a }, b, a);
  if (a.kind === 'dynamic') return equalDynamic(symbols, types, a, b);
  if ((a.kind !== 'literal' && a.kind !== 'text') || (b.kind !== 'literal' && b.kind !== 'text')) return undefined;
  const folds = isCaseless(types.a) !== isCaseless(types.b);
  const left = folds ? foldText(symbols, a) : a;
  const right = folds ? foldText(symbols, b) : b;
  const same = left && right && equalTexts(symbols, left, right);
  return same === undefined ? undefined : { value: bool(same), error: falsity };
}

const sameBool = (a: string, b: string): string =>
  a === 'true' ? b : b === 'true' ? a : a === 'false' ? not(b) : b === 'false' ? not(a) : apply('=', a, b);

/** A decoded argument of another type is an error. */
function equalDynamic(
  symbols: Symbols,
  types: Comparison,
  a: Encoding & { kind: 'dynamic' },
  b: Encoding,
): Applied | undefined {
  const of = (tag: 'int' | 'bool', term: string, same: (a: string, b: string) => string): Applied => {
    const own = symbolOf(symbols, a.place, tag, { kind: 'value' }).term;
    return { value: bool(same(own, term)), error: not(tagOf(symbols, a.place, tag)) };
  };
  if (b.kind === 'int') return of('int', b.term, equal);
  if (b.kind === 'bool') return of('bool', b.term, sameBool);
  if (b.kind !== 'literal' && b.kind !== 'text') return undefined;
  const foldsCase = (type: Type): boolean => isCaseless(type) || (type.kind === 'value' && type.caseless === true);
  const caseless = a.caseless || foldsCase(types.a) || foldsCase(types.b);
  // Two texts of which both turn out to be addresses compare without case whatever their types.
  if (!caseless && b.kind === 'text') return undefined;
  const fold = caseless || (b.kind === 'literal' && isAddress(b.text));
  const own = textEncoding(symbols, a.place, 'text', { kind: 'value' });
  if (own.kind !== 'text') return undefined;
  const [left, right] = fold ? [foldText(symbols, own), foldText(symbols, b)] : [own, b];
  const same = left && right && equalTexts(symbols, left, right);
  return same === undefined ? undefined : { value: bool(same), error: not(tagOf(symbols, a.place, 'text')) };
}

export function encodeIn(
  symbols: Symbols,
  { arguments: args }: Application,
  a: Encoding,
  b: Encoding,
): Applied | undefined {
  const [left, right] = args;
  if (!left || !right) return undefined;
  if (b.kind === 'map' && a.kind === 'literal') {
    const found = memberOf(symbols, b, a.text);
    return found && { value: bool(found.there), error: falsity };
  }
  if (b.kind === 'dynamic') return inDynamic(symbols, left.type, a, b);
  const element = right.type.kind === 'list' ? right.type.element : undefined;
  if (!element) return undefined;
  const types = { a: left.type, b: element };
  // Whether a list of texts has a known one needs no look at its items.
  if (
    b.kind === 'list' &&
    a.kind === 'literal' &&
    b.type.element.kind === 'string' &&
    !isCaseless(left.type) &&
    !isCaseless(element)
  ) {
    return { value: bool(hasMember(symbols, b.place, b.type, a.text)), error: falsity };
  }
  return inItems(symbols, types, a, itemsOf(symbols, b));
}

function inItems(
  symbols: Symbols,
  types: Comparison,
  a: Encoding,
  items: ReturnType<typeof itemsOf>,
): Applied | undefined {
  if (!items) return undefined;
  const found = items.map(({ there, value }) => {
    const same = equality(symbols, types, a, value);
    return same?.value.kind === 'bool' ? { there, term: same.value.term, error: same.error } : undefined;
  });
  if (found.some((each) => each === undefined)) return undefined;
  const known = found.filter((each) => each !== undefined);
  return {
    value: bool(or(...known.map(({ there, term }) => and(there, term)))),
    error: inOrder(known.map(({ there, error }) => ({ absent: falsity, error: and(there, error) }))).error,
  };
}

/** Of an array its elements, of a struct the names of its members; anything else holds nothing, which is an error. */
function inDynamic(symbols: Symbols, type: Type, a: Encoding, b: Encoding & { kind: 'dynamic' }): Applied | undefined {
  const types = { a: type, b: { kind: 'value' } as const };
  const inList = inItems(symbols, types, a, dynamicItems(symbols, b));
  const member = a.kind === 'literal' ? memberOf(symbols, b, a.text) : undefined;
  if (inList?.value.kind !== 'bool' || !member) return undefined;
  const [isList, isMap] = [tagOf(symbols, b.place, 'list'), tagOf(symbols, b.place, 'map')];
  return {
    value: bool(or(and(isList, inList.value.term), and(isMap, member.there))),
    error: or(and(isList, inList.error), and(not(isList), not(isMap))),
  };
}
