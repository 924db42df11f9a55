import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { auditPathsIn, includes, type Log, openLog } from '../../../src/enclave/ledger/log.ts';
import { leafHash } from '../../../src/protocol/log-hash.ts';
import type { TileRow } from '../../../src/protocol/messages.ts';
import { naivePath, naiveRoot } from '../../support/memory-storage.ts';

/** The tree that implementations of RFC 6962 are tried on. */
const entries = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
const roots = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

const append = (log: Log, leaves: readonly Buffer[]): TileRow[] => leaves.flatMap((leaf) => log.append(leaf));

/** The partial tile of each level of a log, from its leaves. */
function frontierOf(leaves: readonly Buffer[]): Buffer[] {
  const tiles: Buffer[] = [];
  for (let level = leaves; level.length > 0; ) {
    const full = level.length - (level.length % 256);
    tiles.push(Buffer.concat(level.slice(full)));
    level = Array.from({ length: full / 256 }, (_, tile) => naiveRoot(level.slice(tile * 256, tile * 256 + 256)));
  }
  return tiles;
}

test('roots of RFC 6962, and of the empty log', () => {
  const log = openLog(0, []);
  expect(log.root().toString('hex')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  for (const [index, entry] of entries.entries()) {
    log.append(leafHash(Buffer.from(entry, 'hex')));
    expect(log.root().toString('hex')).toBe(roots[index]);
    expect(log.size()).toBe(index + 1);
  }
});

// Enough leaves for a full tile of level 1, made once.
const many = Array.from({ length: 65_600 }, (_, index) => leafHash(Buffer.from(`${index}`)));

test('sizes around the ends of tiles, and restoring at each', () => {
  const sizes = [1, 2, 3, 127, 128, 129, 254, 255, 256, 257, 511, 512, 513, 1000, 65_280, 65_535, 65_536, 65_537];
  const log = openLog(0, []);
  for (const size of sizes) {
    append(log, many.slice(log.size(), size));
    const expected = naiveRoot(many.slice(0, size));
    expect(log.root()).toEqual(expected);
    const restored = openLog(size, frontierOf(many.slice(0, size)));
    expect(restored.root()).toEqual(expected);
    restored.append(many[size] as Buffer);
    if (size < 65_000) expect(restored.root()).toEqual(naiveRoot(many.slice(0, size + 1)));
  }
}, 30_000);

test('each full tile is given out once, with its hashes and its root', () => {
  const tiles = append(openLog(0, []), many);
  expect(tiles.map(({ level, index }) => `${level}/${index}`)).toEqual([
    ...Array.from({ length: 256 }, (_, index) => `0/${index}`),
    '1/0',
  ]);
  for (const { level, index, hashes, root } of [tiles[0], tiles[255], tiles[256]] as TileRow[]) {
    const width = 256 ** (level + 1);
    expect(root).toEqual(naiveRoot(many.slice(index * width, (index + 1) * width)));
    const below = Array.from({ length: 256 }, (_, at) => {
      const from = index * width + (at * width) / 256;
      return naiveRoot(many.slice(from, from + width / 256));
    });
    expect(Buffer.from(hashes)).toEqual(Buffer.concat(below));
  }
});

test('a log restored at any size goes on like one that was never closed', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1200 }), fc.integer({ min: 0, max: 600 }), (size, more) => {
      const whole = openLog(0, []);
      append(whole, many.slice(0, size));
      const restored = openLog(size, frontierOf(many.slice(0, size)));
      const rest = many.slice(size, size + more);
      expect(append(restored, rest)).toEqual(append(whole, rest));
      expect(restored.root()).toEqual(whole.root());
      expect(restored.size()).toBe(size + more);
    }),
    { numRuns: 30 },
  );
});

test('a log beyond 2^32 leaves numbers its tiles right', () => {
  const size = 2 ** 33 + 255;
  const hashes = (count: number) => Buffer.concat(Array.from({ length: count }, () => randomBytes(32)));
  const tiles: Buffer[] = [];
  for (let rest = size; rest > 0; rest = Math.floor(rest / 256)) tiles.push(hashes(rest % 256));
  const log = openLog(size, tiles);
  expect(log.append(randomBytes(32)).map(({ level, index }) => [level, index])).toEqual([[0, 2 ** 25]]);
});

test.each<[string, number, Uint8Array[]]>([
  ['too few hashes', 3, [Buffer.alloc(64)]],
  ['too many hashes', 3, [Buffer.alloc(128)]],
  ['no tiles', 3, []],
  ['a level less', 256, [Buffer.alloc(0)]],
  ['a level more', 3, [Buffer.alloc(96), Buffer.alloc(32)]],
  ['a full tile as a partial one', 256, [Buffer.alloc(8192), Buffer.alloc(32)]],
  ['a size below 0', -1, []],
  ['a fraction of a leaf', 0.5, []],
  ['no number', Number.NaN, []],
])('%s: refused', (_, size, tiles) => {
  expect(() => openLog(size, tiles)).toThrow(RangeError);
});

describe('inclusion', () => {
  const cases = fc.integer({ min: 1, max: 300 }).chain((size) => fc.tuple(fc.constant(size), fc.nat(size - 1)));

  test('is proven for every leaf at every size, and for nothing else', () => {
    fc.assert(
      fc.property(cases, fc.nat(), ([size, index], other) => {
        const leaves = many.slice(0, size);
        const root = naiveRoot(leaves);
        const path = naivePath(index, leaves);
        const leaf = leaves[index] as Buffer;
        expect(includes(leaf, index, size, path, root)).toBe(true);
        const wrongIndex = other % 310;
        if (wrongIndex !== index) expect(includes(leaf, wrongIndex, size, path, root)).toBe(false);
        expect(includes(many[size] as Buffer, index, size, path, root)).toBe(false);
        expect(includes(leaf, index, size, [...path, randomBytes(32)], root)).toBe(false);
        expect(includes(leaf, index, size, path, naiveRoot(many.slice(0, size + 1)))).toBe(false);
        if (path.length === 0) return;
        expect(includes(leaf, index, size, path.slice(0, -1), root)).toBe(false);
        expect(includes(leaf, index, size, path.slice(1), root)).toBe(false);
        const at = other % path.length;
        expect(includes(leaf, index, size, path.with(at, randomBytes(32)), root)).toBe(false);
        expect(includes(leaf, index, size, path.with(at, (path[at] as Buffer).subarray(1)), root)).toBe(false);
        expect(includes(leaf, index, size, path.with(at, Buffer.alloc(0)), root)).toBe(false);
      }),
      { numRuns: 300 },
    );
  });

  test('is proven by the newest leaves and the subtrees before them alone', () => {
    fc.assert(
      fc.property(cases, fc.nat(), ([size, index], other) => {
        const firstLeaf = other % (index + 1);
        const log = openLog(0, []);
        append(log, many.slice(0, firstLeaf));
        const tail = { subtrees: log.subtrees(), firstLeaf, leaves: many.slice(firstLeaf, size) };
        expect(auditPathsIn(tail)(index)).toEqual(naivePath(index, many.slice(0, size)));
      }),
      { numRuns: 300 },
    );
  });

  test('is not shown by the root of another size where the shape of the path differs', () => {
    const leaves = many.slice(0, 5);
    const path = naivePath(4, leaves);
    expect(includes(leaves[4] as Buffer, 4, 5, path, naiveRoot(leaves))).toBe(true);
    for (const size of [6, 7, 8, 9, 16])
      expect(includes(leaves[4] as Buffer, 4, size, path, naiveRoot(leaves))).toBe(false);
  });

  test.each([-1, 0.5, Number.NaN, 5, 2 ** 53, '0' as unknown as number])('has no index %s', (index) => {
    const leaves = many.slice(0, 5);
    expect(includes(leaves[0] as Buffer, index, 5, naivePath(0, leaves), naiveRoot(leaves))).toBe(false);
  });

  test('an inner node is no leaf', () => {
    const leaves = many.slice(0, 4);
    const left = naiveRoot(leaves.slice(0, 2));
    const right = naiveRoot(leaves.slice(2));
    expect(includes(left, 0, 4, [right], naiveRoot(leaves))).toBe(false);
  });
});
