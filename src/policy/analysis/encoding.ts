/** What a sub-expression is for every request at once: its value as terms, and when it has none. */
import type { Type, Value } from '../types.ts';
import { and, falsity, not, or, type Term } from './smt.ts';

/** Of a text the solver sees either which one it is (equality only), or its characters. */
export type TextForm = 'id' | 'string';

/** Part of a list: an element, and whether it is in it. */
export type Item = { readonly there: Term; readonly value: Encoding };

export type Encoding =
  | { readonly kind: 'bool'; readonly term: Term }
  /** Ints, uints, timestamps and durations. */
  | { readonly kind: 'int'; readonly term: Term }
  | { readonly kind: 'literal'; readonly text: string }
  | {
      readonly kind: 'text';
      readonly form: TextForm;
      readonly term: Term;
      /** The places it comes from, see `placeClass`. */
      readonly classes: readonly string[];
      /** All that it can be, where these are few. */
      readonly choices?: readonly string[];
    }
  /** `place`: it is that fact, and its items were not asked for yet. */
  | { readonly kind: 'list'; readonly place: string; readonly type: Type & { readonly kind: 'list' } }
  /** `dense`: items that are there come first. */
  | { readonly kind: 'items'; readonly items: readonly Item[]; readonly dense: boolean }
  | { readonly kind: 'struct'; readonly place: string; readonly type: Type & { readonly kind: 'struct' } }
  | { readonly kind: 'map'; readonly place: string; readonly type: Type & { readonly kind: 'map' } }
  /** A decoded argument. */
  | { readonly kind: 'dynamic'; readonly place: string; readonly caseless: boolean }
  | { readonly kind: 'constant'; readonly value: Value }
  /** The solver knows nothing of it; what it is was noted. */
  | { readonly kind: 'opaque' };

/** Exclusive: a namespace is absent, or there is another error. */
export type Failing = { readonly absent: Term; readonly error: Term };
export type Encoded = Failing & { readonly value: Encoding };

export const sound: Failing = { absent: falsity, error: falsity };
export const fine = (value: Encoding): Encoded => ({ ...sound, value });
export const bool = (term: Term): Encoding => ({ kind: 'bool', term });
export const int = (term: Term): Encoding => ({ kind: 'int', term });
export const opaque: Encoding = { kind: 'opaque' };

/** The first of several evaluations that fails decides how all of it does. */
export function inOrder(parts: readonly Failing[]): Failing {
  let failed: Term = falsity;
  let absent: Term = falsity;
  let error: Term = falsity;
  for (const part of parts) {
    absent = or(absent, and(not(failed), part.absent));
    error = or(error, and(not(failed), part.error));
    failed = or(failed, part.absent, part.error);
  }
  return { absent, error };
}

export const failed = ({ absent, error }: Failing): Term => or(absent, error);

/** Failures that happen only where `condition` holds. */
export const where = (condition: Term, { absent, error }: Failing): Failing => ({
  absent: and(condition, absent),
  error: and(condition, error),
});

const termOf = ({ value }: Encoded): Term => (value.kind === 'bool' ? value.term : falsity);
/** It is true; a failure is not. */
export const isTrue = (encoded: Encoded): Term => and(not(failed(encoded)), termOf(encoded));
export const isFalse = (encoded: Encoded): Term => and(not(failed(encoded)), not(termOf(encoded)));

export function constantEncoding(value: Value): Encoding {
  if (typeof value === 'boolean') return bool(String(value));
  if (typeof value === 'bigint') return int(value < 0n ? `(- ${-value})` : String(value));
  return typeof value === 'string' ? { kind: 'literal', text: value } : { kind: 'constant', value };
}
