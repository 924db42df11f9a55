/** What is known of functions that the solver does not know: their values for some arguments. */
import { parseTimestamp } from '../time.ts';
import type { Value } from '../types.ts';
import type { Mystery } from './encode.ts';
import { and, equal, falsity, implies, integer, text as literalOf, not, or, type Term } from './smt.ts';
import { isText, type Symbols, symbolKey } from './symbols.ts';
import { attempt, literalValue } from './tabulate.ts';

type Open = { readonly mystery: Mystery; readonly at: number; readonly others: readonly (Value | undefined)[] };

/** Of functions of one text, their values for all texts that are known. */
export function assertExamples(symbols: Symbols, mysteries: Iterable<Mystery>): void {
  for (const { mystery, at, others } of opened(mysteries)) {
    const argument = mystery.arguments[at];
    if (argument?.kind !== 'text' || argument.form !== 'id') continue;
    for (const known of [...symbols.texts.keys()]) {
      const result = resultOf(symbols, mystery, attempt(mystery.plan, filled(others, known)));
      symbols.script.assert(implies(isText(symbols, argument, known), result));
    }
  }
}

const start = parseTimestamp('2026-01-05T00:00:00Z');
const halfAnHour = 1_800_000_000_000n;
const samples: readonly bigint[] = [
  ...Array.from({ length: 7 * 48 }, (_, index) => start + BigInt(index) * halfAnHour),
  ...Array.from({ length: 73 }, (_, index) => start + BigInt(index) * 241n * halfAnHour),
];

/**
 * Moments at which the functions of the clock take their values, one for each way in which they do: where to look for a
 * witness, not all that there is.
 */
export function clockExamples(symbols: Symbols, mysteries: Iterable<Mystery>): Term {
  const now = symbols.all.get(symbolKey('now', 'value'));
  const ofClock = opened(mysteries).filter(({ mystery, at }) => {
    const argument = mystery.arguments[at];
    return now && argument?.kind === 'int' && argument.term === now.term;
  });
  if (!now || ofClock.length === 0) return 'true';
  const ways = new Map<Term, bigint>();
  for (const sample of samples) {
    const results = ofClock.map(({ mystery, others }) =>
      resultOf(symbols, mystery, attempt(mystery.plan, filled(others, sample))),
    );
    const way = and(...results);
    if (!ways.has(way)) ways.set(way, sample);
  }
  return or(...Array.from(ways, ([way, sample]) => and(equal(now.term, integer(sample)), way)));
}

/** Those of which all arguments but one are constants. */
function opened(mysteries: Iterable<Mystery>): Open[] {
  return [...mysteries].flatMap((mystery) => {
    const others = mystery.arguments.map(literalValue);
    const at = others.indexOf(undefined);
    return at >= 0 && others.indexOf(undefined, at + 1) < 0 ? [{ mystery, at, others }] : [];
  });
}

const filled = (others: readonly (Value | undefined)[], value: Value): readonly Value[] =>
  others.map((other) => other ?? value);

/** Undefined: it fails. */
function resultOf(symbols: Symbols, { value, error }: Mystery, result: Value | undefined): Term {
  if (result === undefined) return error;
  const same = (): Term => {
    if (value.kind === 'bool' && typeof result === 'boolean') return result ? value.term : not(value.term);
    if (value.kind === 'int' && typeof result === 'bigint') return equal(value.term, integer(result));
    if (value.kind === 'text' && typeof result === 'string')
      return value.form === 'string' ? equal(value.term, literalOf(result)) : isText(symbols, value, result);
    return 'true';
  };
  return and(error === falsity ? 'true' : not(error), same());
}
