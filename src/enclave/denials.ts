/**
 * Notes of what policies denied, for `explain` by fingerprint: a denial is no transition, so nobody can make an organization
 * grow by asking. They are in memory alone, the newest few of each organization, and gone with a restart.
 */
import { hash } from 'node:crypto';
import type { Recorded } from './activity-record.ts';

/** Of one organization, and bytes of all bodies together. */
const maxNotes = 16;
const maxBytes = 8 * 1024 * 1024;

export type Denials = {
  note(record: Recorded): void;
  /** By the SHA-256 of the body, in hex. */
  find(organizationId: string, digest: string): Recorded | undefined;
  get(organizationId: string, id: string): Recorded | undefined;
};

export function createDenials(): Denials {
  /** Those who asked last are at the end. */
  const notes = new Map<string, readonly Recorded[]>();
  let bytes = 0;
  const sizeOf = (records: readonly Recorded[]) => records.reduce((sum, { body }) => sum + body.length, 0);
  const put = (organizationId: string, records: readonly Recorded[]) => {
    bytes += sizeOf(records) - sizeOf(notes.get(organizationId) ?? []);
    notes.delete(organizationId);
    if (records.length > 0) notes.set(organizationId, records);
  };
  const search = (organizationId: string, fits: (record: Recorded) => boolean) =>
    notes.get(organizationId)?.findLast(fits);
  return {
    note(record) {
      put(record.organizationId, [...(notes.get(record.organizationId) ?? []), record].slice(-maxNotes));
      for (const organizationId of notes.keys()) {
        if (bytes <= maxBytes) break;
        put(organizationId, []);
      }
    },
    find: (organizationId, digest) => search(organizationId, ({ body }) => hash('sha256', body, 'hex') === digest),
    get: (organizationId, id) => search(organizationId, (record) => record.id === id),
  };
}
