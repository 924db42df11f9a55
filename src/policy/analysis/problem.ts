/** From what is to be asked to what the solver is told. */
import type { Encoders, Mystery } from './encode.ts';
import { encodeOptions, type SetOptions } from './encode-set.ts';
import { assertExamples, clockExamples } from './examples.ts';
import { closeTexts, relate, suppose } from './relations.ts';
import { and, type Term } from './smt.ts';
import { createSymbols, type Limits, linkMembers, type Symbols } from './symbols.ts';

export type Problem<Terms> = {
  readonly terms: Terms;
  readonly symbols: Symbols;
  readonly options: SetOptions;
  readonly mysteries: ReadonlyMap<string, Mystery>;
  /** Where to look for a witness first. */
  readonly hint: Term;
};

/** `build` says what is to be asked about; it is run again while it finds places whose texts it needs as characters. */
export function pose<Terms>(limits: Limits, build: (shared: Encoders, options: SetOptions) => Terms): Problem<Terms> {
  let asString: ReadonlySet<string> = new Set();
  for (;;) {
    const symbols = createSymbols(limits, asString);
    const mysteries = new Map<string, Mystery>();
    const options = encodeOptions(symbols);
    const terms = build({ symbols, mysteries }, options);
    relate(symbols);
    linkMembers(symbols);
    const known = asString;
    if ([...symbols.wantString].every((place) => known.has(place))) {
      assertExamples(symbols, mysteries.values());
      const hint = symbols.script.define('Bool', and(clockExamples(symbols, mysteries.values()), suppose(symbols)));
      closeTexts(symbols);
      return { terms, symbols, options, mysteries, hint };
    }
    asString = new Set([...asString, ...symbols.wantString]);
  }
}
