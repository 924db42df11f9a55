/** A function of something that can be only few texts, tried on each of them. */
import type { Value } from '../types.ts';
import type { Application, Applied } from './encode-application.ts';
import { bool, type Encoding, int } from './encoding.ts';
import { equal, integer, ite, or, type Term } from './smt.ts';
import { type Symbols, textId } from './symbols.ts';

/** Undefined where it is no such function. */
export function tabulate(symbols: Symbols, plan: Application, values: readonly Encoding[]): Applied | undefined {
  const open = values.findIndex((value) => value.kind === 'text' && value.choices);
  const text = values[open];
  if (text?.kind !== 'text' || text.form !== 'id') return undefined;
  const others = values.map(literalValue);
  if (others.some((value, index) => value === undefined && index !== open)) return undefined;
  const results = new Map<Value | undefined, Term[]>();
  for (const choice of text.choices ?? []) {
    const result = attempt(
      plan,
      others.map((value, index) => (index === open ? choice : (value as Value))),
    );
    const when = results.get(result) ?? [];
    when.push(equal(text.term, textId(symbols, choice)));
    results.set(result, when);
  }
  const error = or(...(results.get(undefined) ?? []));
  results.delete(undefined);
  const value = chosenResult(symbols, plan, results);
  return value && { value, error };
}

/** One result of several, by when it is that one. */
function chosenResult(
  symbols: Symbols,
  { type }: Application,
  results: ReadonlyMap<Value | undefined, readonly Term[]>,
): Encoding | undefined {
  const chosen = (term: (result: Value) => Term): Term =>
    [...results].reduce((rest, [result, when]) => ite(or(...when), term(result as Value), rest), '0');
  if (type.kind === 'bool') return bool(or(...(results.get(true) ?? [])));
  if (type.kind === 'int') return int(chosen((result) => integer(result as bigint)));
  if (type.kind !== 'string') return undefined;
  const choices = [...results.keys()] as string[];
  return {
    kind: 'text',
    form: 'id',
    classes: [],
    choices,
    term: chosen((result) => textId(symbols, result as string)),
  };
}

/** Undefined where it fails. */
export function attempt({ apply }: Application, values: readonly Value[]): Value | undefined {
  try {
    return apply(...values);
  } catch {
    return undefined;
  }
}

export function literalValue(value: Encoding): Value | undefined {
  if (value.kind === 'literal') return value.text;
  if (value.kind === 'constant') return value.value;
  if (value.kind === 'bool' && /^(?:true|false)$/.test(value.term)) return value.term === 'true';
  return value.kind === 'int' && /^\d+$/.test(value.term) ? BigInt(value.term) : undefined;
}
