/** The tree of a log in tiles of 256 hashes (C2SP tlog-tiles): their names, and which of them a proof needs. Pure. */
import type { NodeHash } from './tree.ts';

/** Hashes in a full tile, and the levels of the tree that it spans. */
export const tileWidth = 256;
const tileHeight = 8;

/** Tile `index` of `level`: its hash i is the root of the perfect subtree of 256^level leaves number index · 256 + i. */
export type TileId = { readonly level: number; readonly index: number };

/** A tile of hashes, or of the entries that those of level 0 are hashes of. `width`: how many of them, 256 in a full one. */
export type TileName = { readonly level: number | 'entries'; readonly index: number; readonly width: number };

/** Such as `tile/0/x001/234.p/12`, below the log's prefix. */
export function tilePath({ level, index, width }: TileName): string {
  const groups = [String(index % 1000).padStart(3, '0')];
  for (let rest = Math.floor(index / 1000); rest > 0; rest = Math.floor(rest / 1000)) {
    groups.unshift(`x${String(rest % 1000).padStart(3, '0')}`);
  }
  return `tile/${level}/${groups.join('/')}${width === tileWidth ? '' : `.p/${width}`}`;
}

const tilePattern = /^tile\/(entries|\d{1,2})\/((?:x\d{3}\/){0,5}\d{3})(?:\.p\/(\d{1,3}))?$/;

/** Undefined where no tile has this name: each has one only. */
export function parseTilePath(path: string): TileName | undefined {
  const [, level = '', groups = '', width] = tilePattern.exec(path) ?? [];
  const name: TileName = {
    level: level === 'entries' ? level : Number(level),
    index: Number(groups.replace(/\D/g, '')),
    width: width === undefined ? tileWidth : Number(width),
  };
  const isTile = name.level === 'entries' || name.level <= 63;
  const isWidth = width === undefined || (name.width >= 1 && name.width < tileWidth);
  return isTile && isWidth && Number.isSafeInteger(name.index) && tilePath(name) === path ? name : undefined;
}

/** How many hashes or entries tile `index` of `level` has in a log of `size` leaves. */
export function tileWidthIn(size: number, { level, index }: Pick<TileName, 'level' | 'index'>): number {
  const hashes = Math.floor(size / tileWidth ** (level === 'entries' ? 0 : level));
  return Math.max(0, Math.min(tileWidth, hashes - index * tileWidth));
}

/** Root of the perfect subtree of 2^`level` leaves number `index`; undefined where a tile lacks hashes. */
type NodeReader = (level: number, index: number) => Uint8Array | undefined;

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
 * Audit path of leaf `index` in the tree of the first `size` leaves, the leaf's sibling first (RFC 6962 §2.1.1). `hashes`
 * gives the hashes of a tile one after another, as many as there are. Undefined when hashes are missing.
 */
export function auditPath(
  nodeHash: NodeHash,
  index: number,
  size: number,
  hashes: (tile: TileId) => Uint8Array,
): Uint8Array[] | undefined {
  const node = nodesOf(nodeHash, hashes);
  const path: Uint8Array[] = [];
  for (let level = 0; level < maxLevel && 2 ** level < size; level++) {
    const own = Math.floor(index / 2 ** level);
    const sibling = own % 2 === 0 ? own + 1 : own - 1;
    const start = sibling * 2 ** level;
    // The last node of a level has no sibling when it is a left one; it goes up as it is.
    if (start >= size) continue;
    const root = rootOf(nodeHash, level, start, Math.min(size, start + 2 ** level), node);
    if (!root) return undefined;
    path.push(root);
  }
  return path;
}

/**
 * Proof that the tree of the first `old` leaves is the beginning of that of the first `size` ones (RFC 6962 §2.1.2), out of the
 * tiles of `tilesOfPath(old - 1, size)`. 0 < old <= size. Undefined when hashes are missing.
 */
export function consistencyPath(
  nodeHash: NodeHash,
  old: number,
  size: number,
  hashes: (tile: TileId) => Uint8Array,
): Uint8Array[] | undefined {
  const node = nodesOf(nodeHash, hashes);
  const ranges: [start: number, end: number][] = [];
  let [start, end, isWhole] = [0, size, true];
  // What lies beside the way down to the end of the old tree, the lowest first.
  while (old !== end) {
    const middle = start + 2 ** levelBelow(end - start);
    if (old <= middle) {
      ranges.unshift([middle, end]);
      end = middle;
    } else {
      ranges.unshift([start, middle]);
      [start, isWhole] = [middle, false];
    }
  }
  if (!isWhole) ranges.unshift([start, end]);
  const path = ranges.map(([from, to]) => rootOf(nodeHash, levelBelow(to - from) + 1, from, to, node));
  return path.some((hash) => !hash) ? undefined : (path as Uint8Array[]);
}

/** The largest power of two below `count`, as an exponent; -1 for one leaf. */
const levelBelow = (count: number): number => Math.ceil(Math.log2(count)) - 1;

/** Root over the leaves from `start` to before `end`, at most 2^`level`, `start` being a multiple of that. */
function rootOf(
  nodeHash: NodeHash,
  level: number,
  start: number,
  end: number,
  node: NodeReader,
): Uint8Array | undefined {
  const span = 2 ** level;
  if (end - start === span) return node(level, start / span);
  const half = span / 2;
  if (end - start <= half) return rootOf(nodeHash, level - 1, start, end, node);
  const left = node(level - 1, start / half);
  const right = rootOf(nodeHash, level - 1, start + half, end, node);
  return left && right && nodeHash(left, right);
}

/** The nodes inside tiles, each tile's subtree computed once. */
function nodesOf(nodeHash: NodeHash, hashes: (tile: TileId) => Uint8Array): NodeReader {
  const trees = new Map<string, Uint8Array[][]>();
  return (level, index) => {
    const tileLevel = Math.floor(level / tileHeight);
    const height = level % tileHeight;
    const width = tileWidth / 2 ** height;
    const tile = { level: tileLevel, index: Math.floor(index / width) };
    const key = `${tile.level}/${tile.index}`;
    const tree = trees.get(key) ?? treeOf(nodeHash, hashes(tile));
    trees.set(key, tree);
    return tree[height]?.[index % width];
  };
}

/** Levels of the perfect subtrees over the hashes of a tile. */
function treeOf(nodeHash: NodeHash, hashes: Uint8Array): Uint8Array[][] {
  let level: Uint8Array[] = [];
  for (let at = 0; at + 32 <= hashes.length; at += 32) level.push(hashes.subarray(at, at + 32));
  const tree = [level];
  while (level.length > 1) {
    const next: Uint8Array[] = [];
    for (let at = 0; at + 1 < level.length; at += 2) {
      next.push(nodeHash(level[at] as Uint8Array, level[at + 1] as Uint8Array));
    }
    tree.push(next);
    level = next;
  }
  return tree;
}
