/** What is not encoded: a symbol that can be anything, the same wherever the same is written about the same. */
import { locate } from '../errors.ts';
import type { Plan } from '../plan.ts';
import type { Encoder } from './encode.ts';
import { type Encoded, type Encoding, inOrder, opaque } from './encoding.ts';
import { falsity, type Term } from './smt.ts';
import { placeEncoding, symbolOf, type Unknown } from './symbols.ts';

/** `reason`: what about it; without one it is unknown because a part of it is. */
export function unknown(encoder: Encoder, plan: Plan, parts: readonly Encoded[], reason?: string): Encoded {
  const { symbols, language, slots, mysteries } = encoder;
  const { kind } = plan.source;
  const named = construct(encoder, plan, reason ?? 'the solver does not know what this does');
  const { text } = named;
  const key = `?${JSON.stringify([language, kind, plan.op, plan.type.kind, text, slots.map(nameOf)])}`;
  const isCause = parts.every(({ value }) => value.kind !== 'opaque') || reason !== undefined;
  if (isCause && !symbols.unknowns.has(text)) symbols.unknowns.set(text, named);
  const total = plan.op === 'apply' && plan.total;
  const error: Term = total ? falsity : symbolOf(symbols, key, 'bool', { kind: 'bool' }).term;
  const value = symbolFor(encoder, key, plan);
  if (plan.op === 'apply')
    mysteries.set(key, { unknown: named, language, plan, arguments: parts.map((part) => part.value), error, value });
  return { value, ...inOrder([...parts, { absent: falsity, error }]) };
}

export function construct({ source, origin }: Encoder, plan: Plan, reason: string): Unknown {
  const { start, end } = plan.source.span;
  return { text: source.slice(start, end), reason, at: { of: origin, ...locate(source, start), start, end } };
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
