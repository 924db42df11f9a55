/** Inclusion proofs and the right edge of the transparency log, from the rows that the database holds of it. */
import type { Pool } from 'pg';
import { auditPath, frontierTiles, type TileId, tilesOfPath, tileWidth } from './audit-path.ts';
import { int4s, int8s } from './parameters.ts';
import { select } from './select.ts';

const hashSize = 32;

/**
 * Audit paths (RFC 6962 §2.1.1) of the leaves `indexes` in the log's first `size` leaves. A path is empty when the
 * database lacks hashes for it: the enclave then refuses the leaf.
 */
export async function loadAuditPaths(pool: Pool, indexes: readonly number[], size: number): Promise<Buffer[]> {
  const hashes = await loadTiles(
    pool,
    indexes.flatMap((index) => tilesOfPath(index, size)),
  );
  return indexes.map((index) => auditPath(index, size, hashes) ?? Buffer.alloc(0));
}

/** The partial tile of each level of the log of `size` leaves, level 0 first; shorter where hashes are missing. */
export async function loadFrontier(pool: Pool, size: number): Promise<Buffer[]> {
  const tiles = frontierTiles(size);
  const hashes = await loadTiles(
    pool,
    tiles.filter(({ width }) => width > 0),
  );
  return tiles.map((tile) => hashes(tile).subarray(0, tile.width * hashSize));
}

const keyOf = ({ level, index }: TileId): string => `${level}/${index}`;

/** Hashes of `tiles`, by tile: all of a full tile, what there is of a partial one. */
async function loadTiles(pool: Pool, tiles: readonly TileId[]): Promise<(tile: TileId) => Buffer> {
  const wanted = new Map(tiles.map((tile) => [keyOf(tile), tile]));
  const loaded = await loadFullTiles(pool, [...wanted.values()]);
  const partial = [...wanted].filter(([key]) => !loaded.has(key));
  await Promise.all(partial.map(async ([key, tile]) => loaded.set(key, await loadPartialTile(pool, tile))));
  const none = Buffer.alloc(0);
  return (tile) => loaded.get(keyOf(tile)) ?? none;
}

const fullTiles = {
  name: 'tiles',
  text: `
    select level, index, hashes from log_tiles
    where level = any($1::integer[]) and index = any($2::bigint[])
    and (level, index) in (select * from unnest($1::integer[], $2::bigint[]))`,
};

async function loadFullTiles(pool: Pool, tiles: readonly TileId[]): Promise<Map<string, Buffer>> {
  if (tiles.length === 0) return new Map();
  type Row = TileId & { hashes: Buffer };
  const values = [int4s(tiles.map(({ level }) => level)), int8s(tiles.map(({ index }) => index))];
  const rows = await select<Row>(pool, fullTiles, values);
  return new Map(rows.map((row) => [keyOf(row), row.hashes]));
}

/** A tile that is not full yet: the leaves that batches hold, or the roots of the full tiles one level below. */
const loadPartialTile = (pool: Pool, { level, index }: TileId): Promise<Buffer> =>
  level === 0 ? loadLeaves(pool, index * tileWidth) : loadRoots(pool, level - 1, index * tileWidth);

const roots = {
  name: 'tile-roots',
  text: `
    select index, root from log_tiles
    where level = $1 and index >= $2 and index < $2 + ${tileWidth} order by index`,
};

async function loadRoots(pool: Pool, level: number, first: number): Promise<Buffer> {
  const rows = await select<{ index: number; root: Buffer }>(pool, roots, [level, first]);
  const found: Buffer[] = [];
  for (const { index, root } of rows) {
    if (index !== first + found.length) break;
    found.push(root);
  }
  return Buffer.concat(found);
}

const leavesFrom = {
  name: 'leaves',
  text: `
    select first_leaf, leaves from batches
    where first_leaf >= coalesce((select max(first_leaf) from batches where first_leaf <= $1), 0)
    and first_leaf < $1 + ${tileWidth} and leaves <> '' order by first_leaf`,
};

/** Up to 256 leaves from `first` on, as far as they follow each other without a gap. */
async function loadLeaves(pool: Pool, first: number): Promise<Buffer> {
  const rows = await select<{ first_leaf: number; leaves: Buffer }>(pool, leavesFrom, [first]);
  const found: Buffer[] = [];
  let next = first;
  for (const { first_leaf, leaves } of rows) {
    if (first_leaf > next) break;
    const rest = leaves.subarray((next - first_leaf) * hashSize);
    found.push(rest);
    next += Math.floor(rest.length / hashSize);
  }
  return Buffer.concat(found).subarray(0, tileWidth * hashSize);
}
