/** Inclusion proofs, tiles and the right edge of the transparency log, from the rows that the database holds of it. */
import type { Pool } from 'pg';
import { entriesOf, toEntryBundle } from '../../protocol/entry-bundle.ts';
import {
  auditPath,
  consistencyPath,
  frontierTiles,
  type TileId,
  type TileName,
  tilesOfPath,
  tileWidth,
} from '../../protocol/log/tiles.ts';
import { leafHash, nodeHash } from '../../protocol/log-hash.ts';
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
  return indexes.map((index) => Buffer.concat(auditPath(nodeHash, index, size, hashes) ?? []));
}

/** Proof that the log of `old` leaves is the beginning of that of `size` leaves (RFC 6962 §2.1.2); undefined when hashes are missing. */
export async function loadConsistencyPath(pool: Pool, old: number, size: number): Promise<Uint8Array[] | undefined> {
  if (old === 0 || old >= size) return [];
  const hashes = await loadTiles(pool, tilesOfPath(old - 1, size));
  return consistencyPath(nodeHash, old, size, hashes);
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

const batchesFrom = {
  name: 'entries',
  text: `
    select first_leaf, entries from batches
    where first_leaf >= coalesce((select max(first_leaf) from batches where first_leaf <= $1), 0)
    and first_leaf < $1 + ${tileWidth} and entries <> '' order by first_leaf`,
};

/** Up to 256 entries from `first` on, as far as they follow each other without a gap. */
async function loadEntries(pool: Pool, first: number): Promise<Uint8Array[]> {
  const rows = await select<{ first_leaf: number; entries: Buffer }>(pool, batchesFrom, [first]);
  const found: Uint8Array[] = [];
  for (const { first_leaf, entries } of rows) {
    const next = first + found.length;
    if (first_leaf > next) break;
    // A batch may have more than fit the arguments of a call.
    found.push(...bundled(entries).slice(next - first_leaf, first + tileWidth - first_leaf));
  }
  return found;
}

/** A row that is no bundle lacks its entries, like one that is gone. */
function bundled(bundle: Buffer): Uint8Array[] {
  try {
    return entriesOf(bundle);
  } catch {
    return [];
  }
}

const loadLeaves = async (pool: Pool, first: number): Promise<Buffer> =>
  Buffer.concat((await loadEntries(pool, first)).map(leafHash));

/** The bytes of a tile, or of a bundle of entries (C2SP tlog-tiles); undefined where the database lacks some of it. */
export async function loadTile(pool: Pool, { level, index, width }: TileName): Promise<Uint8Array | undefined> {
  if (level === 'entries') {
    const entries = (await loadEntries(pool, index * tileWidth)).slice(0, width);
    return entries.length === width ? toEntryBundle(entries) : undefined;
  }
  const hashes = (await loadTiles(pool, [{ level, index }]))({ level, index }).subarray(0, width * hashSize);
  return hashes.length === width * hashSize ? hashes : undefined;
}
