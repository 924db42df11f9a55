import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  addFingerprint,
  bodyLead,
  bodyLifetime,
  bucketsInHead,
  dropExpired,
  type FingerprintBuckets,
  type FingerprintEntry,
  fillBucket,
  findFingerprint,
  minuteOf,
  openBuckets,
} from '../../../src/enclave/ledger/fingerprints.ts';

const minute = 60_000;
const now = 29_166_667 * minute;
const entryAt = (time: number): FingerprintEntry => ({
  minute: minuteOf(time),
  fingerprint: randomBytes(16),
  id: randomBytes(16),
});

test('what the head says of the next state is what the next state is', () => {
  const offsets = fc.array(fc.integer({ min: -70, max: 5 }), { maxLength: 30 });
  fc.assert(
    fc.property(offsets, fc.integer({ min: 0, max: 90 }), (all, later) => {
      const buckets: FingerprintBuckets = new Map();
      for (const [index, offset] of all.entries()) {
        const time = now + Math.floor((index * later) / all.length) * minute;
        const entry = entryAt(time + offset * minute);
        const before = JSON.stringify([...buckets]);
        const inHead = bucketsInHead(buckets, time, entry);
        expect(JSON.stringify([...buckets])).toBe(before);
        dropExpired(buckets, time);
        const position = addFingerprint(buckets, entry);
        expect(inHead).toEqual(
          [...buckets].sort(([a], [b]) => a - b).map(([at, { hash, count }]) => [at, hash, count]),
        );
        expect(buckets.get(entry.minute)?.count).toBe(position + 1);
      }
    }),
  );
});

test('no more buckets than bodies can be fresh in, at any moment of a minute', () => {
  for (const moment of [0, 1, 29_999, 59_999]) {
    const buckets: FingerprintBuckets = new Map();
    const time = now + moment;
    for (let body = time - bodyLifetime + 1; body < time + bodyLead; body += 1000)
      addFingerprint(buckets, entryAt(body));
    addFingerprint(buckets, entryAt(time + bodyLead));
    dropExpired(buckets, time);
    expect(buckets.size).toBeLessThanOrEqual(66);
    // The oldest body that is still fresh is still known.
    expect(buckets.has(minuteOf(time - bodyLifetime + 1))).toBe(true);
    expect(bucketsInHead(buckets, time, undefined)).toHaveLength(buckets.size);
  }
});

test('a bucket is forgotten only when no body of its minute is fresh', () => {
  const buckets: FingerprintBuckets = new Map();
  const entry = entryAt(now + minute - 1);
  addFingerprint(buckets, entry);
  dropExpired(buckets, now + minute - 1 + bodyLifetime);
  expect(buckets.has(entry.minute)).toBe(true);
  dropExpired(buckets, now + minute + bodyLifetime);
  expect(buckets.has(entry.minute)).toBe(false);
});

test('buckets of a head are filled by exactly the entries that they had', () => {
  const buckets: FingerprintBuckets = new Map();
  const entries = Array.from({ length: 5 }, () => entryAt(now));
  for (const entry of entries) addFingerprint(buckets, entry);
  const reopened = openBuckets(bucketsInHead(buckets, now, undefined));
  const bucket = reopened.get(minuteOf(now));
  if (!bucket) throw new Error('no bucket');
  expect(findFingerprint(bucket, entries[0]?.fingerprint as Buffer)).toBeUndefined();
  const pairs = Buffer.concat(entries.flatMap(({ fingerprint, id }) => [fingerprint, id]));
  for (const wrong of [pairs.subarray(32), pairs.subarray(0, -1), Buffer.concat([pairs, pairs]), Buffer.alloc(0)]) {
    expect(() => fillBucket(bucket, wrong)).toThrow('are not those of the head');
    expect(bucket.entries).toBeNull();
  }
  fillBucket(bucket, pairs);
  for (const { fingerprint, id } of entries) expect(findFingerprint(bucket, fingerprint)).toEqual(id);
  expect(findFingerprint(bucket, randomBytes(16))).toBeUndefined();
  const next = entryAt(now);
  expect(addFingerprint(reopened, next)).toBe(5);
  addFingerprint(buckets, next);
  expect(bucketsInHead(reopened, now, undefined)).toEqual(bucketsInHead(buckets, now, undefined));
});

test('an entry that comes while only the hash is known is in the hash', () => {
  const buckets: FingerprintBuckets = new Map();
  const [first, second] = [entryAt(now), entryAt(now)];
  addFingerprint(buckets, first);
  const reopened = openBuckets(bucketsInHead(buckets, now, undefined));
  addFingerprint(reopened, second);
  const bucket = reopened.get(minuteOf(now));
  if (!bucket) throw new Error('no bucket');
  fillBucket(bucket, Buffer.concat([first.fingerprint, first.id, second.fingerprint, second.id]));
  expect(findFingerprint(bucket, second.fingerprint)).toEqual(second.id);
});
