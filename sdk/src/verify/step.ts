import { equalBytes } from '../../../src/protocol/log/tree.ts';

export type StepName =
  | 'receipt'
  | 'inclusion'
  | 'proof'
  | 'checkpoint'
  | 'enclave'
  | 'request'
  | 'answer'
  | 'organization'
  | 'stamps'
  | 'decision'
  | 'signed'
  | 'result';

/** `ok` is null for what is said and nothing was given to compare it with. */
export type Step = { readonly name: StepName; readonly ok: boolean | null; readonly words: string };

/** Whether a digest is the one that is claimed; `found` undefined: nothing was given. */
export function compare(
  name: StepName,
  found: Uint8Array | undefined,
  claimed: Uint8Array,
  words: { readonly yes: string; readonly no: string; readonly unknown: string },
): Step {
  if (found === undefined) return { name, ok: null, words: words.unknown };
  const ok = equalBytes(found, claimed);
  return { name, ok, words: ok ? words.yes : words.no };
}

/** Dates end at 8.64e15 ms. */
export const date = (ms: number): string => (Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : `at ${ms} ms`);
