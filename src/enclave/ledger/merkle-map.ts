/**
 * The Merkle map over all heads and identity look-ups: key (32 bytes) → value (32 bytes), in 2^16 buckets by the key's
 * first two bytes. A bucket's hash is SHA-256(00 ‖ SHA-256(02 ‖ entry) of each of its sorted entries), an inner node's
 * SHA-256(01 ‖ left ‖ right): what is proven of one entry says nothing about its neighbours.
 * The whole map lives in memory, 64 bytes an entry, so that what is *not* in it is known too.
 *
 * Keys: a head is organization id ‖ 16 zero bytes; a look-up is keyed digest of the identity (16) ‖ organization id.
 */
import { ownBytes, sha256, writeSha256 } from './hash.ts';

export const bucketCount = 1 << 16;
const entrySize = 64;
const keySize = 32;

/** What a bucket holds is not known, only its hash: the database showed something else. */
export class OpaqueBucketError extends Error {
  override name = 'OpaqueBucketError';
  readonly bucket: number;
  constructor(bucket: number) {
    super(`bucket ${bucket} of the map does not match its anchored hash`);
    this.bucket = bucket;
  }
}

export type MerkleMap = {
  /** The value of `key`, a view; undefined when it is known to be absent. */
  get(key: Uint8Array): Buffer | undefined;
  /** All entries whose key starts with `prefix` (2 bytes or more), in order. */
  withPrefix(prefix: Uint8Array): { key: Buffer; value: Buffer }[];
  /** Sets or, with null, removes an entry. */
  set(key: Uint8Array, value: Uint8Array | null): void;
  /** Sets many entries at once, 64 bytes each: quick where they are in order. */
  add(entries: Buffer): void;
  root(): Buffer;
  /** What `key` has, with the hashes of all entries of its bucket and the siblings of the nodes from there to the root. */
  prove(key: Uint8Array): { value: Buffer | undefined; bucket: Buffer; path: Buffer[] };
  /** Buckets whose hash changed since the last call, with the hashes as of now. */
  takeChangedBuckets(): { bucket: number; hash: Buffer }[];
  /** Has the next `takeChangedBuckets` give all of them. */
  markAllChanged(): void;
  /** Hashes of all buckets, 32 bytes each; a copy. */
  bucketHashes(): Buffer;
  /** Forgets a bucket's entries and holds on to the hash that it must have. */
  makeOpaque(bucket: number, hash: Uint8Array): void;
  opaqueBuckets(): number[];
  /** Gives an opaque bucket its entries (64 bytes each, sorted); false when they do not have its hash. */
  reveal(bucket: number, entries: Buffer): boolean;
  /** Number of entries that are heads. */
  organizations(): number;
};

export const bucketOf = (key: Uint8Array): number => ((key[0] as number) << 8) | (key[1] as number);

/** Key of an organization's head. */
export const headKey = (organizationId: Uint8Array): Buffer => Buffer.concat([organizationId, Buffer.alloc(16)]);

export const bucketHashOf = (entries: Buffer): Buffer => sha256(Buffer.concat([Buffer.of(0), entryHashes(entries)]));

/** Of the entries of a bucket, 32 bytes each. */
function entryHashes(entries: Buffer): Buffer {
  const hashes = Buffer.allocUnsafe(entries.length / 2);
  const entry = Buffer.alloc(1 + entrySize);
  entry[0] = 2;
  for (let at = 0; at < entries.length; at += entrySize) {
    entries.copy(entry, 1, at, at + entrySize);
    writeSha256(hashes, at / 2, entry);
  }
  return hashes;
}

export function createMerkleMap(): MerkleMap {
  const buckets: (Buffer | undefined)[] = new Array(bucketCount);
  const opaque = new Set<number>();
  // A complete binary tree in one array: node i has children 2i and 2i+1; bucket b is node bucketCount + b.
  const nodes = emptyTree();
  let unhashed = new Set<number>();
  let changed = new Set<number>();
  let heads = 0;

  const entriesOf = (bucket: number): Buffer => {
    if (opaque.has(bucket)) throw new OpaqueBucketError(bucket);
    return buckets[bucket] ?? empty;
  };
  const rehash = () => {
    if (unhashed.size === 0) return;
    for (const bucket of unhashed) bucketHashOf(buckets[bucket] ?? empty).copy(nodes, (bucketCount + bucket) * 32);
    rehashParents(nodes, unhashed);
    unhashed = new Set();
  };
  const nodeHash = (node: number) => Buffer.from(nodes.subarray(node * 32, node * 32 + 32));
  const headsAmong = (entries: Buffer) => {
    let count = 0;
    for (let at = 0; at < entries.length; at += entrySize) if (isHead(entries, at)) count++;
    return count;
  };

  const setEntry = (key: Uint8Array, value: Uint8Array | null) => {
    const bucket = bucketOf(key);
    const entries = entriesOf(bucket);
    const { at, found } = search(entries, key);
    if (found && value) {
      // A new buffer, never a change in place: views of the old one are in callers' hands.
      const next = ownBytes(entries);
      next.set(value, at + keySize);
      buckets[bucket] = next;
    } else {
      if (!found && !value) return;
      const after = entries.subarray(found ? at + entrySize : at);
      const middle = value ? [key, value] : [];
      buckets[bucket] = ownBytes(entries.subarray(0, at), ...middle, after);
      if (isZero(key, 16)) heads += value ? 1 : -1;
    }
    unhashed.add(bucket);
    changed.add(bucket);
  };
  /** Of one bucket, in order. */
  const addRun = (bucket: number, run: Buffer) => {
    const before = entriesOf(bucket);
    const after = mergeRuns(before, run);
    buckets[bucket] = after;
    heads += headsAmong(after) - headsAmong(before);
    unhashed.add(bucket);
    changed.add(bucket);
  };

  return {
    get(key) {
      const entries = entriesOf(bucketOf(key));
      const { at, found } = search(entries, key);
      return found ? entries.subarray(at + keySize, at + entrySize) : undefined;
    },
    withPrefix(prefix) {
      const entries = entriesOf(bucketOf(prefix));
      const hits: { key: Buffer; value: Buffer }[] = [];
      for (let { at } = search(entries, prefix); at < entries.length; at += entrySize) {
        if (entries.compare(prefix, 0, prefix.length, at, at + prefix.length) !== 0) break;
        hits.push({ key: entries.subarray(at, at + keySize), value: entries.subarray(at + keySize, at + entrySize) });
      }
      return hits;
    },
    set: setEntry,
    add(entries) {
      for (let from = 0; from < entries.length; ) {
        const to = endOfRun(entries, from);
        const run = entries.subarray(from, to);
        if (to - from === entrySize) setEntry(run.subarray(0, keySize), run.subarray(keySize));
        else addRun(bucketOf(run), run);
        from = to;
      }
    },
    root() {
      rehash();
      return nodeHash(1);
    },
    prove(key) {
      rehash();
      const bucket = bucketOf(key);
      const path: Buffer[] = [];
      for (let node = bucketCount + bucket; node > 1; node >>= 1) path.push(nodeHash(node ^ 1));
      const entries = entriesOf(bucket);
      const { at, found } = search(entries, key);
      const value = found ? entries.subarray(at + keySize, at + entrySize) : undefined;
      return { value, bucket: entryHashes(entries), path };
    },
    takeChangedBuckets() {
      rehash();
      const taken = [...changed].map((bucket) => ({ bucket, hash: nodeHash(bucketCount + bucket) }));
      changed = new Set();
      return taken;
    },
    markAllChanged() {
      changed = new Set(Array.from({ length: bucketCount }, (_, bucket) => bucket));
    },
    bucketHashes() {
      rehash();
      return Buffer.from(nodes.subarray(bucketCount * 32));
    },
    makeOpaque(bucket, hash) {
      heads -= headsAmong(buckets[bucket] ?? empty);
      buckets[bucket] = undefined;
      opaque.add(bucket);
      unhashed.delete(bucket);
      nodes.set(hash, (bucketCount + bucket) * 32);
      rehashParents(nodes, [bucket]);
    },
    opaqueBuckets: () => [...opaque].sort((a, b) => a - b),
    reveal(bucket, entries) {
      if (!opaque.has(bucket) || !bucketHashOf(entries).equals(nodeHash(bucketCount + bucket))) return false;
      opaque.delete(bucket);
      buckets[bucket] = ownBytes(entries);
      heads += headsAmong(entries);
      return true;
    },
    organizations: () => heads,
  };
}

const empty = Buffer.alloc(0);

/** Offset of the first entry whose key is not below `key` (compared over `key`'s length), and whether it is equal. */
function search(entries: Buffer, key: Uint8Array): { at: number; found: boolean } {
  let low = 0;
  let high = entries.length / entrySize;
  while (low < high) {
    const middle = (low + high) >> 1;
    const at = middle * entrySize;
    if (entries.compare(key, 0, key.length, at, at + key.length) < 0) low = middle + 1;
    else high = middle;
  }
  const at = low * entrySize;
  return { at, found: at < entries.length && entries.compare(key, 0, key.length, at, at + key.length) === 0 };
}

/** Where the entries end that from `from` on are of one bucket and in ascending order. */
function endOfRun(entries: Buffer, from: number): number {
  const bucket = entries.readUInt16BE(from);
  let to = from + entrySize;
  while (
    to < entries.length &&
    entries.readUInt16BE(to) === bucket &&
    compareKeys(entries, to - entrySize, entries, to) < 0
  )
    to += entrySize;
  return to;
}

/** Two lists of entries in ascending order as one; of a key that is in both, `b` has the value. */
function mergeRuns(a: Buffer, b: Buffer): Buffer {
  if (a.length === 0) return ownBytes(b);
  const merged = Buffer.allocUnsafeSlow(a.length + b.length);
  let [at, fromA, fromB] = [0, 0, 0];
  while (fromA < a.length && fromB < b.length) {
    const order = compareKeys(a, fromA, b, fromB);
    const [source, from] = order < 0 ? [a, fromA] : [b, fromB];
    source.copy(merged, at, from, from + entrySize);
    at += entrySize;
    if (order <= 0) fromA += entrySize;
    if (order >= 0) fromB += entrySize;
  }
  at += a.copy(merged, at, fromA);
  at += b.copy(merged, at, fromB);
  return at === merged.length ? merged : ownBytes(merged.subarray(0, at));
}

function compareKeys(a: Buffer, atA: number, b: Buffer, atB: number): number {
  // Nearly always the first bytes behind those of the bucket decide.
  const difference = a.readUInt32BE(atA + 2) - b.readUInt32BE(atB + 2);
  return difference || a.compare(b, atB, atB + keySize, atA, atA + keySize);
}

function isZero(bytes: Uint8Array, from: number): boolean {
  for (let at = from; at < keySize; at++) if (bytes[at] !== 0) return false;
  return true;
}

const isHead = (entries: Buffer, at: number): boolean => isZero(entries.subarray(at, at + keySize), 16);

/** Hashes every ancestor of `dirty` buckets once, level by level. */
function rehashParents(nodes: Buffer, dirty: Iterable<number>): void {
  let level = new Set<number>();
  for (const bucket of dirty) level.add((bucketCount + bucket) >> 1);
  const pair = Buffer.alloc(65);
  pair[0] = 1;
  while (level.size > 0) {
    const parents = new Set<number>();
    for (const node of level) {
      nodes.copy(pair, 1, node * 64, node * 64 + 64);
      writeSha256(nodes, node * 32, pair);
      if (node > 1) parents.add(node >> 1);
    }
    level = parents;
  }
}

/** All nodes of the tree whose buckets are empty: one hash a level. */
function emptyTree(): Buffer {
  const nodes = Buffer.alloc(2 * bucketCount * 32);
  let hash = bucketHashOf(empty);
  for (let first = bucketCount; first >= 1; first >>= 1) {
    nodes.fill(hash, first * 32, 2 * first * 32);
    hash = sha256(Buffer.concat([Buffer.of(1), hash, hash]));
  }
  return nodes;
}

/** Root of a tree with these 2^16 bucket hashes (32 bytes each), for checking an anchor's copy. */
export function rootOfBuckets(hashes: Buffer): Buffer {
  let level = hashes;
  while (level.length > 32) {
    const next = Buffer.alloc(level.length / 2);
    const pair = Buffer.alloc(65);
    pair[0] = 1;
    for (let at = 0; at < level.length; at += 64) {
      level.copy(pair, 1, at, at + 64);
      writeSha256(next, at / 2, pair);
    }
    level = next;
  }
  return level;
}
