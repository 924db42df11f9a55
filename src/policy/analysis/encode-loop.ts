/** Macros, unrolled over the items of a list. */
import type { Plan } from '../plan.ts';
import { type Encoder, encode, encodeLogic } from './encode.ts';
import {
  constantEncoding,
  type Encoded,
  type Encoding,
  type Failing,
  failed,
  fine,
  type Item,
  inOrder,
  where,
} from './encoding.ts';
import { dynamicItems } from './members.ts';
import { and, equal, falsity, integer, ite, not, or, sum, type Term, truth } from './smt.ts';
import { itemsAt, lengthOf, type Symbols, tagOf } from './symbols.ts';
import { construct, unknown } from './unknown.ts';

type Loop = Plan & { readonly op: 'loop' };

export function encodeLoop(encoder: Encoder, plan: Loop): Encoded {
  const range = encode(encoder, plan.range);
  if (range.value.kind === 'dynamic' && plan.type.kind === 'bool') return overArray(encoder, plan, range, range.value);
  const items = itemsOf(encoder.symbols, range.value);
  if (!items) return unknown(encoder, plan, [range], 'macros over what is no list');
  return overItems(encoder, plan, range, items);
}

/** A decoded argument: the elements of an array; nothing is known of the names of a struct's members. */
function overArray(encoder: Encoder, plan: Loop, range: Encoded, value: Encoding & { kind: 'dynamic' }): Encoded {
  const { symbols } = encoder;
  const [isList, isMap] = [tagOf(symbols, value.place, 'list'), tagOf(symbols, value.place, 'map')];
  symbols.supposed.add(not(isMap));
  const doubt = construct(encoder, plan, 'the solver does not know the members where this is a struct and no array');
  symbols.doubts.set(doubt.text, doubt);
  const found = overItems(encoder, plan, fine(value), dynamicItems(symbols, value));
  const [holds, fails] = [symbols.script.declare('Bool'), symbols.script.declare('Bool')];
  const term = ite(isList, found.value.kind === 'bool' ? found.value.term : falsity, holds);
  const error = ite(isList, found.error, or(not(isMap), fails));
  return { value: { kind: 'bool', term }, ...inOrder([range, { absent: and(isList, found.absent), error }]) };
}

function overItems(encoder: Encoder, plan: Loop, range: Encoded, items: readonly Item[]): Encoded {
  const at = ({ value }: Item, part: Plan): Encoded => {
    encoder.slots[plan.slot] = value;
    const encoded = encode(encoder, part);
    encoder.slots.length = plan.slot;
    return encoded;
  };
  const { macro, predicate, transform } = plan;
  if ((macro === 'all' || macro === 'exists') && predicate !== null) {
    const deciding = macro === 'exists';
    const operands = items.map((item): Encoded => {
      const found = at(item, predicate);
      const term = found.value.kind === 'bool' ? found.value.term : falsity;
      const value = { kind: 'bool', term: deciding ? and(item.there, term) : not(and(item.there, not(term))) } as const;
      return { value, ...where(item.there, found) };
    });
    const all = encodeLogic(operands, deciding, encoder.language);
    return { value: all.value, ...inOrder([range, all]) };
  }
  const failings: Failing[] = [range];
  const built = items.map((item): Item => {
    const kept = predicate && at(item, predicate);
    if (kept) failings.push(where(item.there, kept));
    const there = and(
      item.there,
      kept ? and(not(failed(kept)), kept.value.kind === 'bool' ? kept.value.term : falsity) : truth,
    );
    if (!transform) return { there, value: item.value };
    const made = at(item, transform);
    failings.push(where(there, made));
    return { there, value: made.value };
  });
  const failing = inOrder(failings);
  if (macro === 'exists_one') return { value: { kind: 'bool', term: equal(countOf(built), '1') }, ...failing };
  return { value: { kind: 'items', items: built, dense: predicate === null && denseRange(range.value) }, ...failing };
}

const denseRange = (value: Encoding): boolean => value.kind !== 'items' || value.dense;
const countOf = (items: readonly Item[]): Term => sum(items.map(({ there }) => ite(there, '1', '0')));

/** The items of a list; undefined where it is none, or not one that is encoded. */
export function itemsOf(symbols: Symbols, value: Encoding): readonly Item[] | undefined {
  if (value.kind === 'items') return value.items;
  if (value.kind === 'list') return itemsAt(symbols, value.place, value.type);
  if (value.kind !== 'constant' || !Array.isArray(value.value)) return undefined;
  return value.value.map((item) => ({ there: truth, value: constantEncoding(item) }));
}

/** How many items a list has. */
export function sizeOf(symbols: Symbols, value: Encoding): Term | undefined {
  if (value.kind === 'list') {
    const { place, type } = value;
    return lengthOf(symbols, place, itemsAt(symbols, place, type).length);
  }
  const items = itemsOf(symbols, value);
  return items && (items.every(({ there }) => there === truth) ? integer(items.length) : countOf(items));
}
