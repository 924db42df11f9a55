/**
 * Proofs about RFC 6962 trees. Whoever calls gives the hash of a node: Node's own is the faster one, and browsers do not have
 * it. Pure.
 */

/** SHA-256(01 ‖ left ‖ right), RFC 6962 §2.1. */
export type NodeHash = (left: Uint8Array, right: Uint8Array) => Uint8Array;

export type Tree = { readonly size: number; readonly root: Uint8Array };

/**
 * Root of the tree of `size` leaves in which `leaf` is number `index`, by its audit path, the leaf's sibling first (RFC 9162
 * §2.1.3.2). Undefined where there is no such leaf or the path has not the leaf's length.
 */
export function rootOfPath(
  nodeHash: NodeHash,
  { leaf, index, size, path }: { leaf: Uint8Array; index: number; size: number; path: readonly Uint8Array[] },
): Uint8Array | undefined {
  if (!Number.isSafeInteger(index) || index < 0 || index >= size) return undefined;
  let node = index;
  let last = size - 1;
  let hash = leaf;
  for (const sibling of path) {
    if (last === 0 || sibling.length !== 32) return undefined;
    if (node % 2 === 1 || node === last) {
      hash = nodeHash(sibling, hash);
      while (node % 2 === 0 && node !== 0) {
        node = half(node);
        last = half(last);
      }
    } else {
      hash = nodeHash(hash, sibling);
    }
    node = half(node);
    last = half(last);
  }
  return last === 0 ? hash : undefined;
}

/** Whether the leaves of `first` are the first ones of `second`, by a consistency proof (RFC 9162 §2.1.4.2). */
export function isConsistent(nodeHash: NodeHash, first: Tree, second: Tree, proof: readonly Uint8Array[]): boolean {
  if (first.size > second.size) return false;
  if (first.size === second.size) return proof.length === 0 && equalBytes(first.root, second.root);
  // Every tree begins with the empty one.
  if (first.size === 0) return proof.length === 0;
  if (proof.some((hash) => hash.length !== 32)) return false;
  let node = first.size - 1;
  let last = second.size - 1;
  while (node % 2 === 1) {
    node = half(node);
    last = half(last);
  }
  // Where the first tree is a perfect subtree of the second one, its root goes without saying.
  const [start, ...rest] = node === 0 ? [first.root, ...proof] : proof;
  if (start === undefined) return false;
  let firstRoot = start;
  let secondRoot = start;
  for (const hash of rest) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      firstRoot = nodeHash(hash, firstRoot);
      secondRoot = nodeHash(hash, secondRoot);
      while (node % 2 === 0 && node !== 0) {
        node = half(node);
        last = half(last);
      }
    } else {
      secondRoot = nodeHash(secondRoot, hash);
    }
    node = half(node);
    last = half(last);
  }
  return last === 0 && equalBytes(firstRoot, first.root) && equalBytes(secondRoot, second.root);
}

export const equalBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, at) => byte === b[at]);

/** Beyond 2^32 shifts lose digits. */
const half = (number: number): number => Math.floor(number / 2);
