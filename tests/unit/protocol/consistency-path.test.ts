import { expect, test } from 'vitest';
import { sha256 } from '../../../src/enclave/ledger/hash.ts';
import { consistencyPath, type TileId, tilesOfPath, tileWidth } from '../../../src/protocol/log/tiles.ts';
import { isConsistent } from '../../../src/protocol/log/tree.ts';
import { nodeHash } from '../../../src/protocol/log-hash.ts';
import { naiveRoot } from '../../support/memory-storage.ts';
import { naiveProof } from '../../support/witnesses.ts';

const leaves = Array.from({ length: 700 }, (_, index) => sha256(Buffer.from(String(index))));

/** The hashes of the tiles that a path may need, and of no other. */
function tilesFor(old: number, size: number): (tile: TileId) => Uint8Array {
  const tiles = new Map<string, Buffer>();
  for (const { level, index } of tilesOfPath(old - 1, size)) {
    const span = tileWidth ** level;
    const hashes: Buffer[] = [];
    for (let at = index * tileWidth; at < (index + 1) * tileWidth && (at + 1) * span <= size; at++) {
      hashes.push(naiveRoot(leaves.slice(at * span, (at + 1) * span)));
    }
    tiles.set(`${level}/${index}`, Buffer.concat(hashes));
  }
  return ({ level, index }) => tiles.get(`${level}/${index}`) ?? Buffer.alloc(0);
}

const sizes: [number, number][] = [];
for (let size = 2; size <= 40; size++) for (let old = 1; old <= size; old++) sizes.push([old, size]);
for (const size of [255, 256, 257, 511, 512, 513, 700]) {
  for (const old of [1, 2, 100, 255, 256, 257, 500, 511, 512, 513, 699]) if (old < size) sizes.push([old, size]);
}

test('is that of RFC 6962, out of the tiles of the way to the last old leaf', () => {
  for (const [old, size] of sizes) {
    const path = consistencyPath(nodeHash, old, size, tilesFor(old, size));
    expect(path, `${old} in ${size}`).toEqual(naiveProof(old, leaves.slice(0, size)));
  }
});

test('shows the verifier that the old log is the beginning of the new one', () => {
  for (const [old, size] of sizes) {
    const proof = naiveProof(old, leaves.slice(0, size));
    const first = { size: old, root: naiveRoot(leaves.slice(0, old)) };
    const second = { size, root: naiveRoot(leaves.slice(0, size)) };
    expect(isConsistent(nodeHash, first, second, proof)).toBe(true);
    expect(isConsistent(nodeHash, { ...first, root: second.root }, { ...second, root: first.root }, proof)).toBe(
      old === size,
    );
  }
});

test('there is none where hashes are missing', () => {
  expect(consistencyPath(nodeHash, 3, 9, () => Buffer.alloc(0))).toBeUndefined();
});
