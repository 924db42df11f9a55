/** A function of something that can be only few texts, tried on each of them. */
import type { Value } from '../types.ts';
import type { Application, Applied } from './encode-application.ts';
import { bool, type Encoding } from './encoding.ts';
import { equal, or, type Term } from './smt.ts';
import { type Symbols, textId } from './symbols.ts';

/** Undefined where it is no such function, or gives no bool. */
export function tabulate(symbols: Symbols, plan: Application, values: readonly Encoding[]): Applied | undefined {
  const open = values.findIndex((value) => value.kind === 'text' && value.choices);
  const text = values[open];
  if (text?.kind !== 'text' || text.form !== 'id' || plan.type.kind !== 'bool') return undefined;
  const others = values.map(literalValue);
  if (others.some((value, index) => value === undefined && index !== open)) return undefined;
  const [holds, fails]: [Term[], Term[]] = [[], []];
  for (const choice of text.choices ?? []) {
    const isChoice = equal(text.term, textId(symbols, choice));
    const result = attempt(
      plan,
      others.map((value, index) => (index === open ? choice : (value as Value))),
    );
    if (result === undefined) fails.push(isChoice);
    else if (result === true) holds.push(isChoice);
  }
  return { value: bool(or(...holds)), error: or(...fails) };
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
