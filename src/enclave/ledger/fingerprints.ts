/**
 * Fingerprints of the bodies that were carried out, in a bucket for each minute of body time, kept for as long as a body
 * of that minute is fresh. The head holds a running hash for each bucket, so a bucket that the database shows is whole
 * or refused, and a minute without one is known to be empty.
 */
import { RowIntegrityError } from '../sealing/seal.ts';
import { ownBytes, sha256 } from './hash.ts';

/** How old a body may be, and how far in the future, in ms (Turnkey's window). */
export const bodyLifetime = 60 * 60 * 1000;
export const bodyLead = 5 * 60 * 1000;

const minuteLength = 60_000;
const digestSize = 16;
const largeBucket = 1000;
const noHash = Buffer.alloc(32);

export type FingerprintBucket = {
  hash: Buffer;
  count: number;
  /** Activity ids by fingerprint, both of 16 bytes as Latin-1; null while only the hash is known. */
  entries: Map<string, string> | null;
};

/** A body that was carried out, as the activity of this id. */
export type FingerprintEntry = { readonly minute: number; readonly fingerprint: Buffer; readonly id: Buffer };

export type FingerprintBuckets = Map<number, FingerprintBucket>;

export const minuteOf = (time: number): number => Math.floor(time / minuteLength);

const latin1 = (bytes: Buffer): string => bytes.toString('latin1');

export const openBuckets = (inHead: readonly (readonly [number, Uint8Array, number])[]): FingerprintBuckets =>
  new Map(inHead.map(([minute, hash, count]) => [minute, { hash: ownBytes(hash), count, entries: null }]));

/** The buckets as the head holds them at `now` with `added` among them, ascending by minute. */
export function bucketsInHead(
  buckets: FingerprintBuckets,
  now: number,
  added: FingerprintEntry | undefined,
): [minute: number, hash: Uint8Array, count: number][] {
  const oldest = oldestMinute(now);
  const inHead = new Map<number, [number, Uint8Array, number]>();
  for (const [minute, { hash, count }] of buckets) if (minute >= oldest) inHead.set(minute, [minute, hash, count]);
  if (added) {
    const [, hash, count] = inHead.get(added.minute) ?? [added.minute, noHash, 0];
    inHead.set(added.minute, [added.minute, extendHash(hash, added), count + 1]);
  }
  return [...inHead.values()].sort(([a], [b]) => a - b);
}

/** The id of the activity that a body of this fingerprint already was; the bucket must be filled. */
export function findFingerprint(bucket: FingerprintBucket | undefined, fingerprint: Buffer): Buffer | undefined {
  const id = bucket?.entries?.get(latin1(fingerprint));
  return id === undefined ? undefined : Buffer.from(id, 'latin1');
}

/** Adds an entry and returns its position. */
export function addFingerprint(buckets: FingerprintBuckets, entry: FingerprintEntry): number {
  const bucket = buckets.get(entry.minute) ?? { hash: noHash, count: 0, entries: new Map() };
  buckets.set(entry.minute, bucket);
  bucket.hash = ownBytes(extendHash(bucket.hash, entry));
  bucket.entries?.set(latin1(entry.fingerprint), latin1(entry.id));
  return bucket.count++;
}

const extendHash = (hash: Uint8Array, { fingerprint, id }: FingerprintEntry): Buffer =>
  sha256(Buffer.concat([hash, fingerprint, id]));

/** Fills a bucket with (fingerprint, id) pairs of 32 bytes; throws unless they have the bucket's running hash. */
export function fillBucket(bucket: FingerprintBucket, pairs: Uint8Array): void {
  const entries = new Map<string, string>();
  let hash: Buffer = noHash;
  for (let at = 0; at < pairs.length; at += 2 * digestSize) {
    const pair = Buffer.from(pairs.subarray(at, at + 2 * digestSize));
    hash = sha256(Buffer.concat([hash, pair]));
    entries.set(latin1(pair.subarray(0, digestSize)), latin1(pair.subarray(digestSize)));
  }
  if (!hash.equals(bucket.hash)) throw new RowIntegrityError('the fingerprints of a minute are not those of the head');
  bucket.entries = entries;
}

/** Forgets the buckets whose bodies are all too old to be repeated. */
export function dropExpired(buckets: FingerprintBuckets, now: number): void {
  const oldest = oldestMinute(now);
  for (const minute of buckets.keys()) if (minute < oldest) buckets.delete(minute);
}

const oldestMinute = (now: number): number => minuteOf(now - bodyLifetime);

/** Frees the entries of large buckets, apart from the newest two and that of `minute`; they are filled again when asked for. */
export function trimBuckets(buckets: FingerprintBuckets, minute: number): void {
  const newest = [...buckets.keys()].sort((a, b) => b - a).slice(0, 2);
  for (const [each, bucket] of buckets) {
    if (bucket.count > largeBucket && each !== minute && !newest.includes(each)) bucket.entries = null;
  }
}
