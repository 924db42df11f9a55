/**
 * Notes of what policies denied, for `explain` by fingerprint: a denial is no transition, so nobody can make an organization
 * grow by asking. The newest few of each organization are kept in memory and, sealed, in rows that are written over in turn;
 * nothing but explanations is made from them, so nobody looks whether they are the newest.
 */
import { hash } from 'node:crypto';
import { type Cbor, decode, encode } from '../protocol/cbor.ts';
import { uuidBytes } from '../protocol/uuid.ts';
import type { Recorded } from './activity-record.ts';
import { formatVersion } from './contexts.ts';
import { fetchRows, type Port } from './ledger/port.ts';
import { RowIntegrityError, type Sealer } from './sealing/seal.ts';

/** Of one organization, and bytes of all of them together that are kept in memory, each with a stamp of this many. */
const maxNotes = 16;
const maxBytes = 8 * 1024 * 1024;
const stampBytes = 4096;
/** Bytes of a note that becomes a row. */
const maxSealed = 64 * 1024;

export type Denials = {
  note(record: Recorded): void;
  /** By the SHA-256 of the body, in hex. */
  find(organizationId: string, digest: string): Promise<Recorded | undefined>;
  get(organizationId: string, id: string): Promise<Recorded | undefined>;
};

type Notes = { readonly records: readonly Recorded[]; readonly count: number };

export function createDenials(port: Port, sealer: Sealer): Denials {
  /** Those who asked last are at the end. */
  const kept = new Map<string, Notes>();
  let bytes = 0;
  const sizeOf = (notes?: Notes) => (notes?.records ?? []).reduce((sum, { body }) => sum + body.length + stampBytes, 0);
  const put = (organizationId: string, notes: Notes | undefined) => {
    bytes += sizeOf(notes) - sizeOf(kept.get(organizationId));
    kept.delete(organizationId);
    if (notes) kept.set(organizationId, notes);
  };

  function writeRow(record: Recorded, slot: number): void {
    const content = encode({ v: formatVersion, ...record } as unknown as Cbor);
    if (content.length > maxSealed) return;
    const organizationId = uuidBytes(record.organizationId);
    port.note({ organizationId, slot, sealed: sealer.seal(placeOf(organizationId, slot), 0, content) });
  }

  async function readRows(organizationId: string): Promise<Recorded[]> {
    const id = uuidBytes(organizationId);
    const { notes } = await fetchRows(port, { what: 'denials', organizationId: id });
    return notes.map(({ slot, sealed }) => {
      const { plaintext } = sealer.open(placeOf(id, slot), sealed);
      const { v, ...record } = decode(plaintext) as unknown as { v: number } & Recorded;
      if (v !== formatVersion) throw new RowIntegrityError(`a denial has the unknown format version ${v}`);
      return record;
    });
  }

  async function search(organizationId: string, fits: (record: Recorded) => boolean): Promise<Recorded | undefined> {
    return kept.get(organizationId)?.records.findLast(fits) ?? (await readRows(organizationId)).find(fits);
  }

  return {
    note(record) {
      const { records, count } = kept.get(record.organizationId) ?? { records: [], count: 0 };
      put(record.organizationId, { records: [...records, record].slice(-maxNotes), count: count + 1 });
      writeRow(record, count % maxNotes);
      for (const organizationId of kept.keys()) {
        if (bytes <= maxBytes) break;
        put(organizationId, undefined);
      }
    },
    find: (organizationId, digest) => search(organizationId, ({ body }) => hash('sha256', body, 'hex') === digest),
    get: (organizationId, id) => search(organizationId, (record) => record.id === id),
  };
}

const placeOf = (organization: Uint8Array, slot: number) =>
  ({ kind: 'denial', organization, id: Buffer.of(slot) }) as const;
