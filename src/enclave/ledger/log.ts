/**
 * The transparency log: an RFC 6962 tree over all transitions. The enclave keeps the right edge only: the roots of the
 * perfect subtrees that make up the tree, and the partial tile of each level (C2SP tlog-tiles).
 */

import { equalBytes, rootOfPath } from '../../protocol/log/tree.ts';
import { nodeHash } from '../../protocol/log-hash.ts';
import type { TileRow } from '../../protocol/messages.ts';
import { sha256, splitHashes } from './hash.ts';

const tileWidth = 256;

const emptyRoot = sha256(Buffer.alloc(0));

export type Log = {
  size(): number;
  root(): Buffer;
  /** Roots of the perfect subtrees that the log is made of, from the left. */
  subtrees(): readonly Buffer[];
  /** Appends a leaf's hash; returns the tiles that it completed. */
  append(leaf: Buffer): TileRow[];
};

/** A log whose right edge is `tiles`: the partial tile of each level, level 0 first, 32 bytes a hash. */
export function openLog(size: number, tiles: readonly Uint8Array[]): Log {
  const partial: Buffer[][] = tiles.map((tile) => splitHashes(tile));
  // Roots of perfect subtrees from the largest (leftmost) to the smallest; their sizes are the binary digits of `count`.
  const subtrees = restoreSubtrees(size, partial);
  let count = size;

  const pushToTile = (level: number, hash: Buffer, completed: TileRow[]) => {
    const tile = partial[level] ?? [];
    partial[level] = tile;
    tile.push(hash);
    if (tile.length < tileWidth) return;
    partial[level] = [];
    const root = rootOf(tile);
    const index = Math.floor(count / tileWidth ** (level + 1)) - 1;
    completed.push({ level, index, hashes: Buffer.concat(tile), root });
    pushToTile(level + 1, root, completed);
  };

  return {
    size: () => count,
    subtrees: () => [...subtrees],
    root: () => (subtrees.length === 0 ? emptyRoot : subtrees.reduceRight((right, left) => nodeHash(left, right))),
    append(leaf) {
      let hash = leaf;
      for (let rest = count; rest & 1; rest = Math.floor(rest / 2)) hash = nodeHash(subtrees.pop() as Buffer, hash);
      subtrees.push(hash);
      count++;
      const completed: TileRow[] = [];
      pushToTile(0, leaf, completed);
      return completed;
    },
  };
}

/**
 * Whether `leaf` is leaf number `index` of the tree of `size` leaves with `root` (RFC 9162 §2.1.3.2). `path` is the
 * audit path, the leaf's sibling first.
 */
export function includes(
  leaf: Buffer,
  index: number,
  size: number,
  path: readonly Uint8Array[],
  root: Uint8Array,
): boolean {
  const found = rootOfPath(nodeHash, { leaf, index, size, path });
  return found !== undefined && equalBytes(found, root);
}

/** Root of a perfect subtree over a power of two of `hashes`. */
function rootOf(hashes: readonly Buffer[]): Buffer {
  let level = hashes;
  while (level.length > 1) {
    const next: Buffer[] = [];
    for (let at = 0; at < level.length; at += 2) next.push(nodeHash(level[at] as Buffer, level[at + 1] as Buffer));
    level = next;
  }
  return level[0] as Buffer;
}

/** The perfect subtrees of a log of `size` leaves, out of the partial tiles, whose widths must fit the size. */
function restoreSubtrees(size: number, tiles: readonly (readonly Buffer[])[]): Buffer[] {
  const subtrees: Buffer[] = [];
  let rest = size;
  for (const tile of tiles) {
    if (tile.length !== rest % tileWidth) throw new RangeError('a partial tile does not fit the size of the log');
    rest = Math.floor(rest / tileWidth);
    const ofLevel: Buffer[] = [];
    let at = 0;
    for (let width = tileWidth / 2; width >= 1; width /= 2) {
      if ((tile.length & width) === 0) continue;
      ofLevel.push(rootOf(tile.slice(at, at + width)));
      at += width;
    }
    subtrees.unshift(...ofLevel);
  }
  if (rest !== 0) throw new RangeError('the partial tiles are fewer than the log has levels');
  return subtrees;
}

/** The newest part of a log: the perfect subtrees that it had before, and the leaves that came then. */
export type LogTail = {
  readonly subtrees: readonly Buffer[];
  readonly firstLeaf: number;
  readonly leaves: readonly Buffer[];
};

/** A subtree as RFC 6962 divides the log; without halves where it is a leaf, or all of it was there before the tail. */
type Subtree = { readonly to: number; readonly root: Buffer; readonly halves?: readonly [Subtree, Subtree] };

/**
 * Audit paths (RFC 6962 §2.1.1) of the tail's leaves in the log that ends with the tail: a function from the index of a leaf to
 * its path, the leaf's sibling first.
 */
export function auditPathsIn({ subtrees, firstLeaf, leaves }: LogTail): (index: number) => Buffer[] {
  let known = 0;
  const divide = (from: number, to: number): Subtree => {
    // What lies before the tail comes up from left to right, as the perfect subtrees that it was made of.
    if (to <= firstLeaf) return { to, root: subtrees[known++] as Buffer };
    if (to - from === 1) return { to, root: leaves[from - firstLeaf] as Buffer };
    const middle = from + largestPowerBelow(to - from);
    const halves = [divide(from, middle), divide(middle, to)] as const;
    return { to, root: nodeHash(halves[0].root, halves[1].root), halves };
  };
  const whole = divide(0, firstLeaf + leaves.length);
  return (index) => {
    const path: Buffer[] = [];
    for (let { halves } = whole; halves; ) {
      const [left, right] = halves;
      const [within, sibling] = index < left.to ? [left, right] : [right, left];
      path.push(sibling.root);
      halves = within.halves;
    }
    return path.reverse();
  };
}

const largestPowerBelow = (size: number): number => {
  let power = 1;
  while (2 * power < size) power *= 2;
  return power;
};
