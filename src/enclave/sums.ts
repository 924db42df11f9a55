/** The numbers about the past that a decision was made by are kept with it: later nobody could tell them any more. */
import { type History, type Window, windowKey } from '../policy/windows.ts';

/** Sums and spans by window, in decimal digits. */
export type Sums = Readonly<Record<string, string>>;

/** So that no record becomes much longer for them. */
const mostSums = 32;

/** Nothing where nothing was asked about the past. Lists, and what counts by a condition, are too long to be kept. */
export function sumsOf(windows: readonly Window[], history: History | undefined): { readonly sums?: Sums } {
  if (windows.length === 0 || !history) return {};
  const known = windows.flatMap((window): [string, string][] => {
    const answer = window.filter ? undefined : history.get(windowKey(window));
    return typeof answer === 'bigint' ? [[windowKey(window), String(answer)]] : [];
  });
  return known.length === 0 ? {} : { sums: Object.fromEntries(known.slice(0, mostSums)) };
}

/** The answers of `history`, with those that were kept in their place. */
export function withSums(history: History, sums: Sums | undefined): History {
  if (!sums) return history;
  return new Map([...history, ...Object.entries(sums).map(([key, sum]): [string, bigint] => [key, BigInt(sum)])]);
}
