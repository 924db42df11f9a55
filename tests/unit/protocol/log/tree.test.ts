import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { consistencyPath, type TileId } from '../../../../src/protocol/log/tiles.ts';
import { isConsistent, rootOfPath } from '../../../../src/protocol/log/tree.ts';
import { leafHash, nodeHash } from '../../../../src/protocol/log-hash.ts';
import { naivePath, naiveRoot } from '../../../support/memory-storage.ts';

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
].map((hex) => Buffer.from(hex, 'hex'));
const known = entries.map((entry) => leafHash(Buffer.from(entry, 'hex')));
const many = Array.from({ length: 600 }, (_, index) => leafHash(Buffer.from(`${index}`)));

/** PROOF of RFC 6962 §2.1.2, word for word. */
function naiveProof(first: number, leaves: readonly Buffer[], isWhole = true): Buffer[] {
  const size = leaves.length;
  if (first === size) return isWhole ? [] : [naiveRoot(leaves)];
  const split = 2 ** Math.floor(Math.log2(size - 1));
  return first <= split
    ? [...naiveProof(first, leaves.slice(0, split), isWhole), naiveRoot(leaves.slice(split))]
    : [...naiveProof(first - split, leaves.slice(split), false), naiveRoot(leaves.slice(0, split))];
}

const treeOf = (leaves: readonly Buffer[]) => ({ size: leaves.length, root: naiveRoot(leaves) });

test('the known roots follow from every leaf and its path', () => {
  for (const [index, leaf] of known.entries()) {
    for (let size = index + 1; size <= known.length; size++) {
      const path = naivePath(index, known.slice(0, size));
      expect(rootOfPath(nodeHash, { leaf, index, size, path })).toEqual(roots[size - 1]);
    }
  }
});

describe('consistency', () => {
  test('of the known roots, each with each', () => {
    for (let second = 1; second <= known.length; second++) {
      for (let first = 1; first <= second; first++) {
        const trees = [first, second].map((size) => ({ size, root: roots[size - 1] as Buffer })) as [never, never];
        expect(isConsistent(nodeHash, ...trees, naiveProof(first, known.slice(0, second)))).toBe(true);
      }
    }
  });

  const sizes = fc
    .integer({ min: 2, max: 600 })
    .chain((second) => fc.tuple(fc.integer({ min: 1, max: second - 1 }), fc.constant(second)));

  test('is proven between any two sizes, and for nothing else', () => {
    fc.assert(
      fc.property(sizes, fc.nat(), ([size, secondSize], other) => {
        const [first, second] = [treeOf(many.slice(0, size)), treeOf(many.slice(0, secondSize))];
        const proof = naiveProof(size, many.slice(0, secondSize));
        expect(isConsistent(nodeHash, first, second, proof)).toBe(true);
        const forked = treeOf([...many.slice(1, size), many[0] as Buffer]);
        if (size > 1) expect(isConsistent(nodeHash, forked, second, proof)).toBe(false);
        expect(isConsistent(nodeHash, first, { ...second, root: first.root }, proof)).toBe(false);
        expect(isConsistent(nodeHash, second, first, proof)).toBe(false);
        expect(isConsistent(nodeHash, first, second, [...proof, many[0] as Buffer])).toBe(false);
        expect(isConsistent(nodeHash, first, second, proof.slice(1))).toBe(false);
        expect(isConsistent(nodeHash, first, second, proof.slice(0, -1))).toBe(false);
        const at = other % proof.length;
        expect(isConsistent(nodeHash, first, second, proof.with(at, many[599] as Buffer))).toBe(false);
        expect(isConsistent(nodeHash, first, second, proof.with(at, Buffer.alloc(0)))).toBe(false);
      }),
      { numRuns: 100 },
    );
  });

  test('of a tree with itself needs no proof, and takes none; the empty tree is the beginning of all', () => {
    const [tree, empty] = [treeOf(many.slice(0, 5)), { size: 0, root: Buffer.alloc(32) }];
    expect(isConsistent(nodeHash, tree, tree, [])).toBe(true);
    expect(isConsistent(nodeHash, tree, tree, [many[0] as Buffer])).toBe(false);
    expect(isConsistent(nodeHash, tree, { ...tree, root: many[0] as Buffer }, [])).toBe(false);
    expect(isConsistent(nodeHash, empty, tree, [])).toBe(true);
    expect(isConsistent(nodeHash, empty, tree, [many[0] as Buffer])).toBe(false);
  });

  test('proofs out of tiles are those of the RFC', () => {
    const hashes = ({ level, index }: TileId) => {
      const span = 256 ** level;
      const count = Math.floor(many.length / span);
      const first = index * 256;
      const roots = Array.from({ length: Math.max(0, Math.min(256, count - first)) }, (_, at) =>
        naiveRoot(many.slice((first + at) * span, (first + at + 1) * span)),
      );
      return Buffer.concat(roots);
    };
    for (const [first, second] of [
      [1, 2],
      [3, 7],
      [255, 256],
      [256, 257],
      [256, 512],
      [300, 600],
      [511, 513],
      [512, 600],
      [599, 600],
    ] as const) {
      expect(consistencyPath(nodeHash, first, second, hashes)).toEqual(naiveProof(first, many.slice(0, second)));
    }
  });
});
