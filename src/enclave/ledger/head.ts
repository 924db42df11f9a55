/** The head of an organization: the few digests that say what its current state is. The map holds the head's digest. */
import { createHmac, type KeyObject, timingSafeEqual } from 'node:crypto';
import { type Cbor, decode, encode } from '../../protocol/cbor.ts';
import { formatVersion } from '../contexts.ts';
import { RowIntegrityError } from '../sealing/seal.ts';

export type Head = {
  /** 16 bytes each. */
  readonly organization: Uint8Array;
  readonly parent: Uint8Array | null;
  /** Number of transitions so far. */
  readonly sequence: number;
  /** Digest over the digests of all pages. */
  readonly pages: Uint8Array;
  /** Digest of the sealed counters. */
  readonly counters: Uint8Array;
  /** A running hash for each minute of body time that can still be replayed, ascending: at most 66. */
  readonly fingerprints: readonly (readonly [minute: number, hash: Uint8Array, count: number])[];
  readonly deleted: boolean;
};

const tagSize = 16;

/** CBOR ‖ the first 16 bytes of its HMAC: an accepted restore takes only heads that the enclave made. */
export function encodeHead(head: Head, tagKey: KeyObject): Buffer {
  const body = encode({ v: formatVersion, ...head } as Cbor);
  return Buffer.concat([body, tagOf(body, tagKey)]);
}

/** Throws a `RowIntegrityError` for anything but a head that this enclave made for `organization`. */
export function decodeHead(organization: Uint8Array, bytes: Uint8Array, tagKey: KeyObject): Head {
  const body = bytes.subarray(0, -tagSize);
  const tag = bytes.subarray(-tagSize);
  if (tag.length !== tagSize || !timingSafeEqual(tag, tagOf(body, tagKey))) {
    throw new RowIntegrityError('a head was not made by this enclave');
  }
  const { v, ...head } = decode(body) as { v: number } & Head;
  if (v !== formatVersion) throw new RowIntegrityError(`a head has the unknown format version ${v}`);
  if (Buffer.compare(head.organization, organization) !== 0)
    throw new RowIntegrityError("a head is another organization's");
  return head;
}

const tagOf = (body: Uint8Array, key: KeyObject): Buffer =>
  createHmac('sha256', key).update(body).digest().subarray(0, tagSize);
