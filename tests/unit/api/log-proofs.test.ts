import { createHash } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openPool } from '../../../src/api/storage/connection.ts';
import { loadAuditPaths, loadFrontier, loadTile } from '../../../src/api/storage/log-proofs.ts';
import { migrate } from '../../../src/api/storage/migrate.ts';
import { writeBatch } from '../../../src/api/storage/write-batch.ts';
import { toEntryBundle } from '../../../src/protocol/entry-bundle.ts';
import { auditPath, frontierTiles, tilesOfPath } from '../../../src/protocol/log/tiles.ts';
import { nodeHash } from '../../../src/protocol/log-hash.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres.ts';
import { emptyBatch } from './batches.ts';

const sha256 = (...parts: Uint8Array[]) => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};

const entryOf = (index: number) => Buffer.from(`entry ${index}`);
const leafOf = (index: number) => sha256(Buffer.of(0), entryOf(index));

/** RFC 6962 §2.1, as written there; subtrees are remembered by their range. */
const roots = new Map<string, Buffer>();
function naiveRoot(start: number, end: number): Buffer {
  if (end - start === 1) return leafOf(start);
  const key = `${start}-${end}`;
  const known = roots.get(key);
  if (known) return known;
  const split = start + largestPowerBelow(end - start);
  const root = sha256(Buffer.of(1), naiveRoot(start, split), naiveRoot(split, end));
  roots.set(key, root);
  return root;
}

/** RFC 6962 §2.1.1, as written there. */
function naivePath(index: number, start: number, end: number): Buffer[] {
  if (end - start === 1) return [];
  const split = start + largestPowerBelow(end - start);
  return index < split
    ? [...naivePath(index, start, split), naiveRoot(split, end)]
    : [...naivePath(index, split, end), naiveRoot(start, split)];
}

const hexPath = (index: number, size: number) => Buffer.concat(naivePath(index, 0, size)).toString('hex');
const hexOf = (path: readonly Uint8Array[] = []) => Buffer.concat(path).toString('hex');
const hex = (hashes: readonly Buffer[]) => hashes.map((hash) => hash.toString('hex'));

function largestPowerBelow(count: number): number {
  let power = 1;
  while (power * 2 < count) power *= 2;
  return power;
}

/** Hashes of a tile of a log of `size` leaves: roots of the complete subtrees of 256^level leaves. */
function naiveTile(level: number, index: number, size: number): Buffer[] {
  const span = 256 ** level;
  const hashes: Buffer[] = [];
  for (let at = 0; at < 256; at++) {
    const start = (index * 256 + at) * span;
    if (start + span > size) break;
    hashes.push(naiveRoot(start, start + span));
  }
  return hashes;
}

const sizes = [1, 2, 3, 7, 255, 256, 257, 258, 511, 512, 513, 65_535, 65_536, 65_537, 65_791, 65_793, 66_000];

const indexesIn = (size: number) => {
  const random = Array.from({ length: 12 }, () => Math.floor(Math.random() * size));
  return [...new Set([0, 1, 254, 255, 256, size - 2, size - 1, ...random])].filter((at) => at >= 0 && at < size);
};

describe('auditPath', () => {
  test.each(sizes)(
    'agrees with RFC 6962 in a log of %i leaves',
    (size) => {
      for (const index of indexesIn(size)) {
        const needed = new Map(tilesOfPath(index, size).map((tile) => [`${tile.level}/${tile.index}`, tile]));
        const path = auditPath(nodeHash, index, size, (asked) => {
          const tile = needed.get(`${asked.level}/${asked.index}`);
          return tile ? Buffer.concat(naiveTile(tile.level, tile.index, size)) : Buffer.alloc(0);
        });
        expect(hexOf(path)).toBe(hexPath(index, size));
      }
    },
    30_000,
  );

  test('agrees with RFC 6962 for every leaf of every small log', () => {
    for (let size = 1; size <= 40; size++) {
      for (let index = 0; index < size; index++) {
        const path = auditPath(nodeHash, index, size, (tile) => Buffer.concat(naiveTile(tile.level, tile.index, size)));
        expect(hexOf(path)).toBe(hexPath(index, size));
      }
    }
  });

  test('takes a tile that is fuller than the log was', () => {
    const path = auditPath(nodeHash, 3, 10, (tile) => Buffer.concat(naiveTile(tile.level, tile.index, 256)));
    expect(hexOf(path)).toBe(hexPath(3, 10));
  });

  test('is undefined when hashes are missing', () => {
    const hashes = ({ index }: { index: number }) => Buffer.concat(index === 0 ? naiveTile(0, 0, 300) : []);
    expect(auditPath(nodeHash, 3, 300, hashes)).toBeUndefined();
  });

  test('touches two tiles of each level at the most, however large the log', () => {
    expect(tilesOfPath(123_456_789, 2 ** 40).length).toBeLessThanOrEqual(10);
    expect(frontierTiles(2 ** 40)).toHaveLength(6);
  });
});

describe('with PostgreSQL', () => {
  const total = 66_100;
  let server: TestPostgres;
  let pool: pg.Pool;

  beforeAll(async () => {
    server = await startPostgres();
    await migrate(server.url);
    pool = openPool(server.url);
    const client = new pg.Client({ connectionString: server.url });
    await client.connect();
    await writeLog(client, total);
    await client.end();
  }, 60_000);
  afterAll(async () => {
    await pool.end();
    await server.remove();
  });

  /** Batches of different sizes that do not respect tiles, empty ones among them; tiles leave with the batch that fills them. */
  async function writeLog(client: pg.Client, end: number): Promise<void> {
    let number = 1;
    for (let first = 0; first < end; number++) {
      const count = number % 5 === 0 ? 0 : Math.min(1 + ((number * 131) % 700), end - first);
      const entries = toEntryBundle(Array.from({ length: count }, (_, at) => entryOf(first + at)));
      const tiles: { level: number; index: number; hashes: Buffer; root: Buffer }[] = [];
      for (let level = 0; 256 ** (level + 1) <= first + count; level++) {
        const span = 256 ** (level + 1);
        for (let index = Math.floor(first / span); (index + 1) * span <= first + count; index++) {
          const hashes = Buffer.concat(naiveTile(level, index, first + count));
          tiles.push({ level, index, hashes, root: naiveRoot(index * span, (index + 1) * span) });
        }
      }
      await writeBatch(client, { ...emptyBatch(number), entries, firstLeaf: first, tiles });
      first += count;
    }
  }

  test('proofs agree with RFC 6962, for the present log and for smaller ones', async () => {
    for (const size of [...sizes, total - 1, total]) {
      const indexes = indexesIn(size);
      const paths = await loadAuditPaths(pool, indexes, size);
      expect(hex(paths)).toEqual(indexes.map((index) => hexPath(index, size)));
    }
  }, 30_000);

  test('the frontier is the partial tile of each level', async () => {
    for (const size of [...sizes, total - 1, total]) {
      const expected: Buffer[] = [];
      for (let level = 0, count = size; count > 0; level++, count = Math.floor(count / 256)) {
        expected.push(Buffer.concat(naiveTile(level, Math.floor(count / 256), size)));
      }
      expect(hex(await loadFrontier(pool, size))).toEqual(hex(expected));
    }
  });

  test('tiles and bundles of entries, full and partial', async () => {
    const bytesOf = async (level: number | 'entries', index: number, width: number) =>
      (await loadTile(pool, { level, index, width })) as Uint8Array;
    for (const [level, index, width] of [
      [0, 0, 256],
      [0, 258, 52],
      [0, 258, 7],
      [1, 0, 256],
      [1, 1, 2],
      [2, 0, 1],
    ] as const) {
      const expected = Buffer.concat(naiveTile(level, index, total)).subarray(0, width * 32);
      expect(Buffer.from(await bytesOf(level, index, width)).equals(expected)).toBe(true);
    }
    for (const [index, width] of [
      [0, 256],
      [77, 256],
      [258, 52],
      [258, 1],
    ] as const) {
      const entries = Array.from({ length: width }, (_, at) => entryOf(index * 256 + at));
      expect(Buffer.from(await bytesOf('entries', index, width)).equals(toEntryBundle(entries))).toBe(true);
    }
    expect(await loadTile(pool, { level: 0, index: 258, width: 53 })).toBeUndefined();
    expect(await loadTile(pool, { level: 'entries', index: 258, width: 53 })).toBeUndefined();
    expect(await loadTile(pool, { level: 3, index: 0, width: 1 })).toBeUndefined();
  });

  test('the frontier of an empty log has no tiles', async () => {
    expect(await loadFrontier(pool, 0)).toEqual([]);
    expect(await loadAuditPaths(pool, [], 0)).toEqual([]);
  });

  test('a row that is no bundle, or one of more entries than anybody wrote, lacks them', async () => {
    const last = 'where number = (select max(number) from batches where entries <> $1)';
    const { rows } = await pool.query<{ first_leaf: number; entries: Buffer }>(
      `select first_leaf, entries from batches ${last}`,
      [''],
    );
    const [{ entries }] = rows as [{ first_leaf: number; entries: Buffer }];
    const load = async (bundle: Buffer) => {
      await pool.query(`update batches set entries = $2 ${last}`, ['', bundle]);
      const width = total - 258 * 256;
      return loadTile(pool, { level: 'entries', index: 258, width });
    };
    expect(await load(Buffer.of(0, 9, 1))).toBeUndefined();
    // Empty entries, which are not the ones that were written.
    expect(await load(Buffer.alloc(1_000_000))).not.toEqual(await load(entries));
  });

  test('a leaf whose hashes were deleted has no path', async () => {
    await pool.query('delete from log_tiles where level = 0 and index = 3');
    await pool.query('delete from batches where first_leaf >= 600 and first_leaf < 1200');
    const [lost, kept] = await loadAuditPaths(pool, [3 * 256 + 5, 5], total);
    expect(lost).toHaveLength(0);
    expect(kept?.toString('hex')).toBe(hexPath(5, total));
  });
});
