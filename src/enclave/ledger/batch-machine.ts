/**
 * The life of batches as a pure state machine: open → written → committed → anchored → released, in order of number.
 * A batch that was written is never taken back. While batch k is being anchored, batch k+1 may be written, where the depth
 * is two; no more than that are out at a time. Exhaustively checked in tests/unit/ledger/model.test.ts.
 */

export type BatchState = {
  /** Newest batch whose answers have left. */
  readonly released: number;
  /** Newest batch that `api` says is durable. */
  readonly committed: number;
  /** Newest batch that was handed to `api`. */
  readonly written: number;
  /** The batch that the anchor is moving to, if any: always released + 1. */
  readonly anchoring: number | null;
  /** Transitions in the open batch, whose number is written + 1. */
  readonly open: number;
  /** The open batch leaves as soon as the one before it is durable; until then it waits for more to join. */
  readonly due: boolean;
  /** How many batches may be out at a time. */
  readonly depth: 1 | 2;
  /** Set for good when somebody else writes to the database or the anchor fails. */
  readonly halted: boolean;
};

export type BatchEvent =
  /** A transition joined the open batch; `more`: others are about to. */
  | { readonly type: 'held'; readonly more?: boolean }
  /** Nothing more is worth waiting for. */
  | { readonly type: 'close' }
  | { readonly type: 'committed'; readonly number: number }
  | { readonly type: 'anchored'; readonly number: number }
  | { readonly type: 'fork' };

export type BatchCommand =
  /** Close the open batch under this number and hand it to `api`. */
  | { readonly type: 'write'; readonly number: number }
  | { readonly type: 'anchor'; readonly number: number }
  | { readonly type: 'release'; readonly number: number }
  | { readonly type: 'halt' };

export type Step = { readonly state: BatchState; readonly commands: readonly BatchCommand[] };

/** The state behind a released batch `number`, with nothing under way. */
export const idleAfter = (number: number, depth: 1 | 2 = 2): BatchState => ({
  released: number,
  committed: number,
  written: number,
  anchoring: null,
  open: 0,
  due: false,
  depth,
  halted: false,
});

/** Number of the newest batch that holds a transition, be it open, on its way or released. */
export const newestBatch = (state: BatchState): number => (state.open > 0 ? state.written + 1 : state.written);

export function step(state: BatchState, event: BatchEvent): Step {
  if (state.halted) return { state, commands: [] };
  switch (event.type) {
    case 'held':
      return advance({ ...state, open: state.open + 1, due: state.due || !event.more }, []);
    case 'close':
      return advance({ ...state, due: state.open > 0 }, []);
    case 'committed':
      // Only the one batch that is out can be committed; anything else is a lie or an echo.
      if (event.number !== state.committed + 1 || event.number > state.written) return { state, commands: [] };
      return advance({ ...state, committed: event.number }, []);
    case 'anchored':
      if (event.number !== state.anchoring) return { state, commands: [] };
      return advance({ ...state, anchoring: null, released: event.number }, [
        { type: 'release', number: event.number },
      ]);
    case 'fork':
      return { state: { ...state, halted: true }, commands: [{ type: 'halt' }] };
  }
}

function advance(state: BatchState, commands: readonly BatchCommand[]): Step {
  if (state.anchoring === null && state.committed > state.released) {
    const number = state.released + 1;
    return advance({ ...state, anchoring: number }, [...commands, { type: 'anchor', number }]);
  }
  const beingWritten = state.written > state.committed;
  const waitingForAnchor = state.committed - state.released;
  if (state.due && !beingWritten && waitingForAnchor < state.depth) {
    const number = state.written + 1;
    return {
      state: { ...state, written: number, open: 0, due: false },
      commands: [...commands, { type: 'write', number }],
    };
  }
  return { state, commands };
}
