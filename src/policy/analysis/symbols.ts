/** The facts as symbols: one for each place that an expression reads, such as `eth.tx.to` or `approvers[0].id`. */
import type { Type } from '../types.ts';
import { type Encoding, type Item, opaque, type TextForm } from './encoding.ts';
import {
  and,
  apply,
  boolean,
  createScript,
  equal,
  falsity,
  integer,
  or,
  type Script,
  type Sort,
  type Term,
  text,
} from './smt.ts';

/** What of a place a symbol stands for. `has`: whether a list of texts has this one. */
export type Role = 'value' | 'present' | 'length' | 'tag' | 'int' | 'text' | 'bool' | 'has';

export type FactSymbol = {
  readonly place: string;
  readonly role: Role;
  /** For `has`. */
  readonly member: string;
  readonly sort: Sort;
  readonly term: Term;
  readonly type: Type;
};

/** Why there is no answer: mostly a construct that is not encoded. */
export type Unknown = {
  readonly text: string;
  readonly reason: string;
  /** Where it is written first: of which policy and clause, line and column from 1, `start` and `end` in UTF-16 units. */
  readonly at?: {
    readonly of: string;
    readonly line: number;
    readonly column: number;
    readonly start: number;
    readonly end: number;
  };
};

export type Limits = {
  /** Items of a list at a place of this class that are looked at; `certain`: nothing is overlooked so. */
  readonly itemsOf: (placeClass: string) => { readonly items: number; readonly certain: boolean };
  /** All texts that a place can hold, for those that can hold few. */
  readonly choices: ReadonlyMap<string, readonly string[]>;
};

export type Symbols = {
  readonly script: Script;
  readonly limits: Limits;
  readonly all: Map<string, FactSymbol>;
  /** Texts by number; any other number is some other text. */
  readonly texts: Map<string, number>;
  /** Classes of places whose texts are seen as characters. */
  readonly asString: ReadonlySet<string>;
  /** Those found to need it, for the next attempt. */
  readonly wantString: Set<string>;
  /** Classes of lists of which a longer one may matter than what is looked at. */
  readonly bounded: Map<string, number>;
  readonly unknowns: Map<string, Unknown>;
  /** Constructs that are not encoded for some rare values. */
  readonly doubts: Map<string, Unknown>;
  /** Texts that are asked for in lower case. */
  readonly folded: Set<Term>;
  /** Where to look for a witness first. */
  readonly supposed: Set<Term>;
};

export const createSymbols = (limits: Limits, asString: ReadonlySet<string>): Symbols => ({
  script: createScript(),
  limits,
  all: new Map(),
  texts: new Map(),
  asString,
  wantString: new Set(),
  bounded: new Map(),
  unknowns: new Map(),
  doubts: new Map(),
  folded: new Set(),
  supposed: new Set(),
});

/** What a policy asks about the past. */
export const historyPlace = (key: string): string => `history[${JSON.stringify(key)}]`;

/** All elements of a list are of one class. */
export const placeClass = (place: string): string => place.replace(/\[\d+\]/g, '[*]');

export function textId({ texts }: Symbols, text: string): Term {
  const found = texts.get(text) ?? texts.size;
  texts.set(text, found);
  return integer(found);
}

export const maxUint256 = 2n ** 256n - 1n;
const ranges: Readonly<Partial<Record<Type['kind'], readonly [bigint, bigint]>>> = {
  // Counters, indexes, lengths: facts have no larger ones.
  int: [-(2n ** 63n), 2n ** 63n - 1n],
  uint: [0n, maxUint256],
  timestamp: [-62_135_596_800_000_000_000n, 253_402_300_799_999_999_999n],
  duration: [-(2n ** 63n), 2n ** 63n - 1n],
};
const wideInt = [-(2n ** 255n), maxUint256] as const;

const sortOf: Readonly<Record<Exclude<Role, 'value' | 'text'>, Sort>> = {
  present: 'Bool',
  length: 'Int',
  tag: 'Int',
  int: 'Int',
  bool: 'Bool',
  has: 'Bool',
};

export const symbolKey = (place: string, role: Role, member = ''): string => `${role} ${member} ${place}`;

export function symbolOf(symbols: Symbols, place: string, role: Role, type: Type, member = ''): FactSymbol {
  const key = symbolKey(place, role, member);
  const known = symbols.all.get(key);
  if (known) return known;
  const sort = role === 'value' || role === 'text' ? valueSort(symbols, place, type) : sortOf[role];
  const symbol: FactSymbol = { place, role, member, sort, type, term: symbols.script.declare(sort) };
  symbols.all.set(key, symbol);
  const range = rangeOf(symbol);
  if (range) symbols.script.assert(inRange(symbol.term, range));
  return symbol;
}

function valueSort(symbols: Symbols, place: string, { kind }: Type): Sort {
  if (kind === 'bool') return 'Bool';
  return isTextKind(kind) && formOf(symbols, place) === 'string' ? 'String' : 'Int';
}

const isTextKind = (kind: Type['kind']): boolean => ['string', 'address', 'caseless', 'value'].includes(kind);

export const formOf = ({ asString }: Symbols, place: string): TextForm =>
  asString.has(placeClass(place)) ? 'string' : 'id';

function rangeOf({ role, type }: FactSymbol): readonly [bigint, bigint] | undefined {
  if (role === 'tag') return [0n, BigInt(tags.length - 1)];
  if (role === 'int') return wideInt;
  if (role !== 'value') return undefined;
  return type.kind === 'int' && type.wide ? wideInt : ranges[type.kind];
}

export const inRange = (term: Term, [least, most]: readonly [bigint, bigint]): Term =>
  and(apply('>=', term, integer(least)), apply('<=', term, integer(most)));

/** What a decoded argument can be: facts know no others. */
export const tags = ['int', 'text', 'bool', 'list', 'map'] as const;
export const tagOf = (symbols: Symbols, place: string, tag: (typeof tags)[number]): Term =>
  equal(symbolOf(symbols, place, 'tag', { kind: 'value' }).term, integer(tags.indexOf(tag)));

/** The fact at a place that is there. */
export function placeEncoding(symbols: Symbols, place: string, type: Type): Encoding {
  switch (type.kind) {
    case 'bool':
      return { kind: 'bool', term: symbolOf(symbols, place, 'value', type).term };
    case 'int':
    case 'uint':
    case 'timestamp':
    case 'duration':
      return { kind: 'int', term: symbolOf(symbols, place, 'value', type).term };
    case 'string':
    case 'address':
    case 'caseless':
      return textEncoding(symbols, place, 'value', type);
    case 'list':
      return { kind: 'list', place, type };
    case 'struct':
      return { kind: 'struct', place, type };
    case 'map':
      return { kind: 'map', place, type };
    case 'value':
      return { kind: 'dynamic', place, caseless: type.caseless === true };
    default:
      symbolOf(symbols, place, 'present', type);
      symbols.unknowns.set(place, { text: place, reason: `${type.kind} is not looked into` });
      return opaque;
  }
}

export function textEncoding(symbols: Symbols, place: string, role: 'value' | 'text', type: Type): Encoding {
  const { term } = symbolOf(symbols, place, role, type);
  const choices = symbols.limits.choices.get(place);
  const form = formOf(symbols, place);
  return { kind: 'text', form, term, classes: [placeClass(place)], ...(choices && { choices }) };
}

export function lengthOf(symbols: Symbols, place: string, most: number): Term {
  const known = symbols.all.has(symbolKey(place, 'length'));
  const { term } = symbolOf(symbols, place, 'length', { kind: 'int', wide: false });
  if (!known) symbols.script.assert(inRange(term, [0n, BigInt(most)]));
  return term;
}

/** How many items of a list are looked at. */
export function lookedAt({ limits, bounded }: Symbols, place: string, maxItems: number): number {
  const { items, certain } = limits.itemsOf(placeClass(place));
  if (items < maxItems && !certain) bounded.set(placeClass(place), items);
  return Math.min(maxItems, items);
}

/** The items of the list at a place, as many as are looked at. */
export function itemsAt(symbols: Symbols, place: string, { element, maxItems }: Type & { kind: 'list' }): Item[] {
  const most = lookedAt(symbols, place, maxItems);
  const length = lengthOf(symbols, place, most);
  return Array.from({ length: most }, (_, index) => ({
    there: apply('>', length, integer(index)),
    value: placeEncoding(symbols, `${place}[${index}]`, element),
  }));
}

/** Whether the list of texts at a place has this one. */
export const hasMember = (symbols: Symbols, place: string, type: Type & { kind: 'list' }, member: string): Term =>
  symbolOf(symbols, place, 'has', type, member).term;

/** What was asked of the members of a list, and of its items one by one, is one list. */
export function linkMembers(symbols: Symbols): void {
  for (const { place, role, member, term, type } of [...symbols.all.values()]) {
    if (role !== 'has' || type.kind !== 'list' || !symbols.all.has(symbolKey(place, 'length'))) continue;
    const found = itemsAt(symbols, place, type).map(({ there, value }) => and(there, isText(symbols, value, member)));
    symbols.script.assert(equal(term, or(...found)));
  }
}

export function isText(symbols: Symbols, value: Encoding, known: string): Term {
  if (value.kind === 'literal') return boolean(value.text === known);
  if (value.kind !== 'text') return falsity;
  return equal(value.term, value.form === 'id' ? textId(symbols, known) : text(known));
}
