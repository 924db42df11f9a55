/** The first leaves of a log, by the roots of the perfect subtrees that they make up: enough to add further ones. Pure. */
import type { NodeHash } from '../../protocol/log/tree.ts';
import { nodeHash } from '../../protocol/log-hash.ts';

/** A perfect subtree of 2^`level` leaves. */
export type Subtree = { readonly level: number; readonly root: Uint8Array };

/** From the left; each is larger than the one after it. */
export type Subtrees = readonly Subtree[];

/** `subtrees` and one more on their right. Their leaves are to be a multiple of the new one's. */
export function append(subtrees: Subtrees, added: Subtree, hash: NodeHash = nodeHash): Subtrees {
  const kept = [...subtrees];
  let { level, root } = added;
  for (let last = kept.at(-1); last?.level === level; last = kept.at(-1)) {
    root = hash(last.root, root);
    level++;
    kept.pop();
  }
  return [...kept, { level, root }];
}

export const sizeOf = (subtrees: Subtrees): number => subtrees.reduce((size, { level }) => size + 2 ** level, 0);

/** Root of the log; undefined of the empty one. */
export const rootOf = (subtrees: Subtrees): Uint8Array | undefined =>
  subtrees
    .map(({ root }) => root)
    .reduceRight<Uint8Array | undefined>((right, left) => (right ? nodeHash(left, right) : left), undefined);
