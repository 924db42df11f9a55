/**
 * What a start decides, as a pure function of the anchor and of what the database shows: the batches behind the anchor
 * are undone to find the anchored state, checked, and redone; anything else is refused with a reason (DESIGN §4 "After a
 * crash"). Exhaustively checked in tests/unit/ledger/model.test.ts.
 */

/** One opened batch record, as much of it as a start looks at. */
export type TailBatch = { readonly number: number; readonly hash: string; readonly previous: string };

export type Anchored = { readonly number: number; readonly hash: string };

export type TailVerdict =
  /** `tail` are the whole batches behind the anchored one, in order: undo them, check, redo them. */
  | { readonly verdict: 'tail'; readonly tail: readonly TailBatch[] }
  | { readonly verdict: 'behind'; readonly reason: string }
  | { readonly verdict: 'beside'; readonly reason: string };

/** How many batches can be durable without being anchored: one being anchored and one being written. */
const maxTail = 2;

/** `shown` are the batches of the database from the anchored number on, in order of number. */
export function judgeTail(anchor: Anchored, shown: readonly TailBatch[]): TailVerdict {
  const [anchored, ...tail] = anchor.number === 0 ? [{ ...anchor, previous: '' }, ...shown] : shown;
  if (!anchored || anchored.number !== anchor.number) {
    return {
      verdict: 'behind',
      reason: `the database does not hold batch ${anchor.number}, the newest that was released: it was restored to an earlier state`,
    };
  }
  if (anchored.hash !== anchor.hash) {
    return { verdict: 'beside', reason: `batch ${anchor.number} in the database is not the one that was released` };
  }
  let previous: TailBatch = anchored;
  for (const batch of tail) {
    if (batch.number !== previous.number + 1 || batch.previous !== previous.hash) {
      return {
        verdict: 'beside',
        reason: `batch ${batch.number} in the database does not follow batch ${previous.number}`,
      };
    }
    previous = batch;
  }
  if (tail.length > maxTail) {
    return {
      verdict: 'beside',
      reason: `the database holds ${tail.length} batches behind the anchor, at most ${maxTail} can be`,
    };
  }
  return { verdict: 'tail', tail };
}
