/** The record of a batch: which entries of the map it changed, from what to what, and which entries it gave the log. */
import { type Cbor, decode, encode } from '../../protocol/cbor.ts';
import { formatVersion } from '../contexts.ts';
import { RowIntegrityError, type Sealer } from '../sealing/seal.ts';
import { sha256 } from './hash.ts';

export type MapChange = readonly [key: Uint8Array, before: Uint8Array | null, after: Uint8Array | null];

export type BatchRecord = {
  readonly number: number;
  /** SHA-256 of the sealed record of the batch before it. */
  readonly previous: Uint8Array;
  /** Unix ms; never below that of the batch before it. */
  readonly time: number;
  readonly epoch: number;
  readonly epochStart: number;
  readonly changes: readonly MapChange[];
  readonly firstLeaf: number;
  /** SHA-256 over the bundle of the log's entries. */
  readonly entries: Uint8Array;
};

const place = (number: number) =>
  ({ kind: 'batch', organization: Buffer.alloc(0), id: Buffer.from(String(number)) }) as const;

export function sealBatch(record: BatchRecord, sealer: Sealer): { sealed: Buffer; hash: Buffer } {
  const sealed = sealer.seal(
    place(record.number),
    record.number,
    encode({ v: formatVersion, ...record } as unknown as Cbor),
  );
  return { sealed, hash: sha256(sealed) };
}

/** Throws a `RowIntegrityError` unless this enclave sealed `sealed` as batch `number`. */
export function openBatch(number: number, sealed: Uint8Array, sealer: Sealer): BatchRecord & { hash: Buffer } {
  const { plaintext } = sealer.open(place(number), sealed);
  const { v, ...record } = decode(plaintext) as unknown as { v: number } & BatchRecord;
  if (v !== formatVersion) throw new RowIntegrityError(`batch ${number} has the unknown format version ${v}`);
  return { ...record, hash: sha256(sealed) };
}
