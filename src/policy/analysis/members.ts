/** Members of maps and of decoded arguments. */
import type { Encoding, Item } from './encoding.ts';
import { and, apply, integer, type Term, truth } from './smt.ts';
import { lengthOf, lookedAt, placeEncoding, type Symbols, symbolOf, tagOf } from './symbols.ts';

type Member = {
  /** Otherwise asking for a member is an error. */
  readonly isContainer: Term;
  readonly there: Term;
  /** Where it is there. */
  readonly value: Encoding;
};

/** By a constant key. Undefined for what has no members, or none that are encoded. */
export function memberOf(symbols: Symbols, container: Encoding, key: string | bigint): Member | undefined {
  if (container.kind === 'map' && typeof key === 'string') {
    const place = `${container.place}[${JSON.stringify(key)}]`;
    const there = symbolOf(symbols, place, 'present', container.type.value).term;
    return { isContainer: truth, there, value: placeEncoding(symbols, place, container.type.value) };
  }
  if (container.kind !== 'dynamic') return undefined;
  const type = typeOf(container);
  if (typeof key === 'string') {
    const place = `${container.place}[${JSON.stringify(key)}]`;
    const isContainer = tagOf(symbols, container.place, 'map');
    const there = and(isContainer, symbolOf(symbols, place, 'present', type).term);
    return { isContainer, there, value: placeEncoding(symbols, place, type) };
  }
  const isContainer = tagOf(symbols, container.place, 'list');
  const most = arrayItems(symbols, container.place);
  if (key < 0n || key >= most) return undefined;
  const length = lengthOf(symbols, container.place, most);
  const there = and(isContainer, apply('>', length, integer(key)));
  return { isContainer, there, value: placeEncoding(symbols, `${container.place}[${key}]`, type) };
}

const typeOf = ({ caseless }: Encoding & { kind: 'dynamic' }) =>
  caseless ? ({ kind: 'value', caseless: true } as const) : ({ kind: 'value' } as const);

/** Decoded arrays can be of any length. */
const arrayItems = (symbols: Symbols, place: string): number => lookedAt(symbols, place, Number.POSITIVE_INFINITY);

/** How many elements a decoded array has. */
export const lengthOfArray = (symbols: Symbols, { place }: Encoding & { kind: 'dynamic' }): Term =>
  lengthOf(symbols, place, arrayItems(symbols, place));

/** The elements of a decoded array. */
export function dynamicItems(symbols: Symbols, list: Encoding & { kind: 'dynamic' }): Item[] {
  const length = lengthOfArray(symbols, list);
  return Array.from({ length: arrayItems(symbols, list.place) }, (_, index) => ({
    there: apply('>', length, integer(index)),
    value: placeEncoding(symbols, `${list.place}[${index}]`, typeOf(list)),
  }));
}
