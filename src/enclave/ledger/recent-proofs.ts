/** The newest leaves of the log with what proves them, for the answers that are about to leave; older ones come from the database. */
import type { Proven } from '../receipts.ts';
import { ownBytes } from './hash.ts';
import { auditPathsIn, type LogTail } from './log.ts';

/** Activities that are remembered, more than usually wait at a time: what they hold on to keeps pages of Node's pool alive. */
const capacity = 512;
/** Batches whose leaves are remembered. */
const maxTails = 255;

type Signed = Proven['state'];
/** What all activities of a batch share; without `state` until it is released. */
type Batch = { tail?: LogTail; state?: Signed; paths?: ReturnType<typeof auditPathsIn> };
type Leaf = Pick<Proven, 'claims' | 'row' | 'index'> & { readonly batch: Batch };

export type RecentProofs = {
  /** An activity of the open batch. */
  add(organizationId: string, id: string, leaf: Omit<Leaf, 'batch'>): void;
  close(number: number, tail: LogTail): void;
  release(number: number, state: Signed): void;
  /** The leaf of that index, if it is one of the newest. */
  leafAt(index: number): Buffer | undefined;
  /** Of an activity that was released not long ago. */
  find(organizationId: string, id: string): Proven | undefined;
};

/** Nobody learns of another organization's activity by its id. */
const nameOf = (organizationId: string, id: string): string => `${organizationId}/${id}`;

export function createRecentProofs(): RecentProofs {
  const leaves = new Map<string, Leaf>();
  const closed = new Map<number, Batch>();
  let tails: { readonly firstLeaf: number; readonly leaves: Buffer }[] = [];
  let open: Batch = {};
  return {
    add(organizationId, id, leaf) {
      leaves.set(nameOf(organizationId, id), { ...leaf, batch: open });
      if (leaves.size <= capacity) return;
      const [oldest] = leaves.keys();
      leaves.delete(oldest as string);
    },
    close(number, tail) {
      open.tail = tail;
      tails = [...tails.slice(-maxTails), { firstLeaf: tail.firstLeaf, leaves: ownBytes(...tail.leaves) }];
      closed.set(number, open);
      open = {};
    },
    release(number, state) {
      const batch = closed.get(number);
      closed.delete(number);
      if (batch) batch.state = state;
    },
    leafAt(index) {
      const tail = tails.findLast(({ firstLeaf }) => firstLeaf <= index);
      const leaf = tail?.leaves.subarray((index - tail.firstLeaf) * 32).subarray(0, 32);
      return leaf?.length === 32 ? leaf : undefined;
    },
    find(organizationId, id) {
      const leaf = leaves.get(nameOf(organizationId, id));
      const { tail, state } = leaf?.batch ?? {};
      if (!leaf || !tail || !state) return undefined;
      const { claims, row, index, batch } = leaf;
      batch.paths ??= auditPathsIn(tail);
      return { claims, row, index, path: batch.paths(index), state };
    },
  };
}
