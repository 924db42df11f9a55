import { createHash, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createMerkleMap, headKey, OpaqueBucketError, rootOfBuckets } from '../../../src/enclave/ledger/merkle-map.ts';

const sha256 = (...parts: Uint8Array[]) => createHash('sha256').update(Buffer.concat(parts)).digest();
const [zero, one] = [Buffer.of(0), Buffer.of(1)];
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/** Hashes of subtrees whose buckets are all empty, by height. */
const emptyAt: Buffer[] = [sha256(zero)];
for (let height = 1; height <= 16; height++) {
  emptyAt.push(sha256(one, emptyAt[height - 1] as Buffer, emptyAt[height - 1] as Buffer));
}

/** The root from the definition: a tree over the first 16 bits of the keys. */
function naiveRoot(entries: readonly (readonly [string, Buffer])[], height = 16): Buffer {
  if (entries.length === 0) return emptyAt[height] as Buffer;
  if (height === 0) {
    const sorted = [...entries].sort(([a], [b]) => (a < b ? -1 : 1));
    return sha256(zero, ...sorted.map(([key, value]) => sha256(Buffer.of(2), Buffer.from(key, 'hex'), value)));
  }
  const bit = 1 << (height - 1);
  const isRight = ([key]: readonly [string, Buffer]) => (Number.parseInt(key.slice(0, 4), 16) & bit) !== 0;
  return sha256(
    one,
    naiveRoot(
      entries.filter((e) => !isRight(e)),
      height - 1,
    ),
    naiveRoot(entries.filter(isRight), height - 1),
  );
}

/** Keys that meet in few buckets, heads among them, at the ends of the range too. */
const key = fc
  .tuple(fc.constantFrom(0, 1, 2, 0x7fff, 0x8000, 0xfffe, 0xffff), fc.nat(3), fc.nat(3), fc.boolean())
  .map(([bucket, middle, last, isHead]) => {
    const bytes = Buffer.alloc(32);
    bytes.writeUInt16BE(bucket);
    bytes[10] = middle;
    if (!isHead) bytes[31] = last + 1;
    return bytes;
  });
const change = fc.record({
  key,
  value: fc.option(fc.uint8Array({ minLength: 32, maxLength: 32 }).map((v) => Buffer.from(v))),
});

test('after any changes it is what the definition says', () => {
  fc.assert(
    fc.property(fc.array(fc.array(change, { maxLength: 12 }), { maxLength: 5 }), (rounds) => {
      const map = createMerkleMap();
      const reference = new Map<string, Buffer>();
      const anchored = map.bucketHashes();
      for (const changes of rounds) {
        for (const { key: entry, value } of changes) {
          map.set(entry, value);
          if (value) reference.set(hex(entry), value);
          else reference.delete(hex(entry));
        }
        for (const { bucket, hash } of map.takeChangedBuckets()) hash.copy(anchored, bucket * 32);
        expect(map.root()).toEqual(naiveRoot([...reference]));
        expect(anchored.equals(map.bucketHashes())).toBe(true);
        expect(map.takeChangedBuckets()).toEqual([]);
        expect(map.organizations()).toBe(
          [...reference.keys()].filter((entry) => entry.endsWith('0'.repeat(32))).length,
        );
        for (const { key: entry } of changes) expect(map.get(entry)).toEqual(reference.get(hex(entry)));
      }
      const prefixes = [...reference.keys()].flatMap((entry) => [entry.slice(0, 4), entry.slice(0, 32), entry]);
      for (const prefix of new Set(prefixes)) {
        const expected = [...reference]
          .filter(([entry]) => entry.startsWith(prefix))
          .sort(([a], [b]) => (a < b ? -1 : 1));
        const found = map.withPrefix(Buffer.from(prefix, 'hex'));
        expect(found.map(({ key: entry, value }) => [hex(entry), value])).toEqual(expected);
      }
    }),
    { numRuns: 40 },
  );
}, 30_000);

test('the root of the anchored hashes is the root of the map', () => {
  const map = createMerkleMap();
  for (let index = 0; index < 500; index++) map.set(randomBytes(32), randomBytes(32));
  expect(rootOfBuckets(map.bucketHashes())).toEqual(map.root());
});

test('it does not depend on the order of the changes', () => {
  const entries = Array.from({ length: 200 }, () => [randomBytes(32), randomBytes(32)] as const);
  const [forward, backward] = [createMerkleMap(), createMerkleMap()];
  for (const [entry, value] of entries) forward.set(entry, value);
  for (const [entry, value] of [...entries].reverse()) backward.set(entry, value);
  expect(backward.root()).toEqual(forward.root());
  for (const [entry] of entries) forward.set(entry, null);
  expect(forward.root()).toEqual(createMerkleMap().root());
});

test('an answer stays as it was when the map goes on, and what is set is copied', () => {
  const map = createMerkleMap();
  const [entry, value] = [randomBytes(32), Buffer.alloc(32, 1)];
  map.set(entry, value);
  const answer = map.get(entry);
  const [hit] = map.withPrefix(entry.subarray(0, 16));
  map.set(entry, Buffer.alloc(32, 2));
  value.fill(3);
  expect(answer).toEqual(Buffer.alloc(32, 1));
  expect(hit?.value).toEqual(Buffer.alloc(32, 1));
  expect(map.get(entry)).toEqual(Buffer.alloc(32, 2));
});

test('removing what is not there changes nothing', () => {
  const map = createMerkleMap();
  map.set(randomBytes(32), null);
  expect(map.takeChangedBuckets()).toEqual([]);
});

test('all buckets are given on demand', () => {
  const map = createMerkleMap();
  map.set(headKey(randomBytes(16)), randomBytes(32));
  map.markAllChanged();
  const all = map.takeChangedBuckets();
  expect(Buffer.concat(all.map(({ hash }) => hash)).equals(map.bucketHashes())).toBe(true);
  expect(all.every(({ bucket }, index) => bucket === index)).toBe(true);
  expect(all).toHaveLength(65536);
});

describe('an opaque bucket', () => {
  const head = (last: number) =>
    headKey(Buffer.from(`0005${'00'.repeat(13)}${last.toString(16).padStart(2, '0')}`, 'hex'));
  const entriesOf = (...lasts: number[]) =>
    Buffer.concat(lasts.flatMap((last) => [head(last), Buffer.alloc(32, last)]));

  /** A map that holds heads 1 and 2, but was shown 1 and 3. */
  function opaque() {
    const known = createMerkleMap();
    for (const last of [1, 2]) known.set(head(last), Buffer.alloc(32, last));
    known.set(headKey(Buffer.alloc(16, 9)), Buffer.alloc(32, 9));
    const map = createMerkleMap();
    for (const last of [1, 3]) map.set(head(last), Buffer.alloc(32, last));
    map.set(headKey(Buffer.alloc(16, 9)), Buffer.alloc(32, 9));
    expect(map.root()).not.toEqual(known.root());
    map.takeChangedBuckets();
    map.makeOpaque(5, known.bucketHashes().subarray(5 * 32, 6 * 32));
    return { known, map };
  }

  test('has the hash that it must have, and nothing in it is known, present or absent', () => {
    const { known, map } = opaque();
    expect(map.root()).toEqual(known.root());
    expect(map.opaqueBuckets()).toEqual([5]);
    expect(map.organizations()).toBe(1);
    for (const last of [1, 2, 3, 4]) {
      expect(() => map.get(head(last))).toThrow(OpaqueBucketError);
      expect(() => map.set(head(last), Buffer.alloc(32))).toThrow(OpaqueBucketError);
      expect(() => map.set(head(last), null)).toThrow(OpaqueBucketError);
      expect(() => map.withPrefix(head(last).subarray(0, 2))).toThrow(OpaqueBucketError);
    }
    expect(map.get(headKey(Buffer.alloc(16, 9)))).toEqual(Buffer.alloc(32, 9));
  });

  test('keeps its hash while others change', () => {
    const { known, map } = opaque();
    for (const each of [known, map]) each.set(headKey(Buffer.alloc(16, 9)), Buffer.alloc(32, 8));
    expect(map.root()).toEqual(known.root());
    expect(map.bucketHashes().equals(known.bucketHashes())).toBe(true);
    map.markAllChanged();
    expect(Buffer.concat(map.takeChangedBuckets().map(({ hash }) => hash)).equals(known.bucketHashes())).toBe(true);
  });

  test('is revealed by its own entries only, in order', () => {
    const { known, map } = opaque();
    const wrong = [
      entriesOf(1, 3),
      entriesOf(1),
      entriesOf(2, 1),
      entriesOf(1, 2, 3),
      entriesOf(1, 2, 2),
      Buffer.alloc(0),
    ];
    for (const entries of wrong) expect(map.reveal(5, entries)).toBe(false);
    expect(map.reveal(6, entriesOf(1, 2))).toBe(false);
    expect(() => map.get(head(1))).toThrow(OpaqueBucketError);
    expect(map.reveal(5, entriesOf(1, 2))).toBe(true);
    expect(map.get(head(2))).toEqual(Buffer.alloc(32, 2));
    expect(map.get(head(3))).toBeUndefined();
    expect(map.organizations()).toBe(3);
    expect(map.reveal(5, entriesOf(1, 2))).toBe(false);
    for (const each of [known, map]) each.set(head(4), Buffer.alloc(32, 4));
    expect(map.root()).toEqual(known.root());
  });
});

test('many entries at once, in order or not and over others, are what they are one by one', () => {
  const entry = fc.tuple(key, fc.uint8Array({ minLength: 32, maxLength: 32 }));
  const pages = fc.array(fc.tuple(fc.array(entry, { maxLength: 40 }), fc.boolean()), { maxLength: 4 });
  fc.assert(
    fc.property(pages, (rounds) => {
      const [one, other] = [createMerkleMap(), createMerkleMap()];
      for (const [entries, sorted] of rounds) {
        if (sorted) entries.sort(([a], [b]) => a.compare(b));
        for (const [name, value] of entries) one.set(name, value);
        other.add(Buffer.concat(entries.flat()));
        expect(other.root()).toEqual(one.root());
        expect(other.organizations()).toBe(one.organizations());
        expect(other.takeChangedBuckets()).toEqual(one.takeChangedBuckets());
        for (const [name] of entries) expect(other.get(name)).toEqual(one.get(name));
      }
    }),
    { numRuns: 20 },
  );
});
