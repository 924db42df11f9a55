/** Audit paths of RFC 6962 §2.1.1 out of the hashes of tiles (C2SP tlog-tiles). Pure. */
import { nodeHash } from '../../protocol/node-hash.ts';

/** Hashes in a full tile, and the levels of the tree that it spans. */
export const tileWidth = 256;
const tileHeight = 8;

/** Tile `index` of `level`: its hash i is the root of the perfect subtree of 256^level leaves number index · 256 + i. */
export type TileId = { readonly level: number; readonly index: number };

/** Root of the perfect subtree of 2^`level` leaves number `index`; undefined where a tile lacks hashes. */
type NodeHash = (level: number, index: number) => Buffer | undefined;

const maxLevel = 53;

/** The tiles that hold what the audit path of leaf `index` in a tree of `size` leaves is made of. */
export function tilesOfPath(index: number, size: number): TileId[] {
  const tiles: TileId[] = [];
  for (let level = 0, span = 1; span < size; level++, span *= tileWidth) {
    const own = Math.floor(index / span / tileWidth);
    const last = Math.floor(size / span / tileWidth);
    tiles.push({ level, index: own });
    if (last !== own) tiles.push({ level, index: last });
  }
  return tiles;
}

/** The partial tile of each level at the right edge of a log of `size` leaves, with its width; level 0 first. */
export function frontierTiles(size: number): (TileId & { width: number })[] {
  const tiles: (TileId & { width: number })[] = [];
  for (let level = 0, count = size; count > 0; level++, count = Math.floor(count / tileWidth)) {
    tiles.push({ level, index: Math.floor(count / tileWidth), width: count % tileWidth });
  }
  return tiles;
}

/**
 * Audit path of leaf `index` in the tree of the first `size` leaves, the leaf's sibling first, 32 bytes each. `hashes`
 * gives the hashes of a tile, as many as there are. Undefined when hashes are missing.
 */
export function auditPath(index: number, size: number, hashes: (tile: TileId) => Buffer): Buffer | undefined {
  const node = nodesOf(hashes);
  const path: Buffer[] = [];
  for (let level = 0; level < maxLevel && 2 ** level < size; level++) {
    const own = Math.floor(index / 2 ** level);
    const sibling = own % 2 === 0 ? own + 1 : own - 1;
    const start = sibling * 2 ** level;
    // The last node of a level has no sibling when it is a left one; it goes up as it is.
    if (start >= size) continue;
    const root = rootOf(level, start, Math.min(size, start + 2 ** level), node);
    if (!root) return undefined;
    path.push(root);
  }
  return Buffer.concat(path);
}

/** Root over the leaves from `start` to before `end`, at most 2^`level`, `start` being a multiple of that. */
function rootOf(level: number, start: number, end: number, node: NodeHash): Buffer | undefined {
  const span = 2 ** level;
  if (end - start === span) return node(level, start / span);
  const half = span / 2;
  if (end - start <= half) return rootOf(level - 1, start, end, node);
  const left = node(level - 1, start / half);
  const right = rootOf(level - 1, start + half, end, node);
  return left && right && nodeHash(left, right);
}

/** The nodes inside tiles, each tile's subtree computed once. */
function nodesOf(hashes: (tile: TileId) => Buffer): NodeHash {
  const trees = new Map<string, Buffer[][]>();
  return (level, index) => {
    const tileLevel = Math.floor(level / tileHeight);
    const height = level % tileHeight;
    const width = tileWidth / 2 ** height;
    const tile = { level: tileLevel, index: Math.floor(index / width) };
    const key = `${tile.level}/${tile.index}`;
    const tree = trees.get(key) ?? treeOf(hashes(tile));
    trees.set(key, tree);
    return tree[height]?.[index % width];
  };
}

/** Levels of the perfect subtrees over the hashes of a tile. */
function treeOf(hashes: Buffer): Buffer[][] {
  let level: Buffer[] = [];
  for (let at = 0; at + 32 <= hashes.length; at += 32) level.push(hashes.subarray(at, at + 32));
  const tree = [level];
  while (level.length > 1) {
    const next: Buffer[] = [];
    for (let at = 0; at + 1 < level.length; at += 2) next.push(nodeHash(level[at] as Buffer, level[at + 1] as Buffer));
    tree.push(next);
    level = next;
  }
  return tree;
}
