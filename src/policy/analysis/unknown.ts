/** What is not encoded: a symbol that can be anything, the same wherever the same is written about the same. */
import type { Plan } from '../plan.ts';
import type { Encoder } from './encode.ts';
import { type Encoded, type Encoding, inOrder, opaque } from './encoding.ts';
import { falsity, type Term } from './smt.ts';
import { placeEncoding, symbolOf } from './symbols.ts';

/** `reason`: what about it; without one it is unknown because a part of it is. */
export function unknown(encoder: Encoder, plan: Plan, parts: readonly Encoded[], reason?: string): Encoded {
  const { symbols, language, source, slots, mysteries } = encoder;
  const { span, kind } = plan.source;
  const text = source.slice(span.start, span.end);
  const key = `?${JSON.stringify([language, kind, plan.op, plan.type.kind, text, slots.map(nameOf)])}`;
  const named = parts.every(({ value }) => value.kind !== 'opaque') || reason !== undefined;
  if (named) symbols.unknowns.set(text, { text, reason: reason ?? 'this is not encoded' });
  const total = plan.op === 'apply' && plan.total;
  const error: Term = total ? falsity : symbolOf(symbols, key, 'bool', { kind: 'bool' }).term;
  const value = symbolFor(encoder, key, plan);
  if (plan.op === 'apply')
    mysteries.set(key, { text, language, plan, arguments: parts.map((part) => part.value), error, value });
  return { value, ...inOrder([...parts, { absent: falsity, error }]) };
}

const scalar = new Set(['bool', 'int', 'uint', 'timestamp', 'duration', 'string', 'address', 'caseless']);

function symbolFor({ symbols }: Encoder, key: string, { type }: Plan): Encoding {
  return scalar.has(type.kind) ? placeEncoding(symbols, key, type) : opaque;
}

const nameOf = (value: Encoding | undefined): string =>
  value === undefined
    ? ''
    : 'place' in value
      ? value.place
      : 'term' in value
        ? value.term
        : JSON.stringify(value, bigints);

const bigints = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value);
