/** Organizations in memory: opened from rows that are checked against the map, in a cache of bounded size. */
import type { KeyObject } from 'node:crypto';
import { decode } from '../../protocol/cbor.ts';
import { uuidBytes, uuidText } from '../../protocol/uuid.ts';
import { RowIntegrityError, type Sealer } from '../sealing/seal.ts';
import type { Counters, Organization } from '../state.ts';
import { type FingerprintBuckets, fillBucket, openBuckets, trimBuckets } from './fingerprints.ts';
import { ownBytes, sha256 } from './hash.ts';
import { decodeHead } from './head.ts';
import { headKey, type MerkleMap } from './merkle-map.ts';
import { digestOfPages, type Layout, layoutOf, openPages } from './pages.ts';
import { fetchRows, type Port } from './port.ts';

/** The newest state of one organization; the ledger replaces its members with each transition. */
export type Opened = {
  readonly id: Buffer;
  organization: Organization;
  sequence: number;
  layout: Layout;
  pagesDigest: Uint8Array;
  /** The sealed counters as they are in the database. */
  counters: Uint8Array;
  fingerprints: FingerprintBuckets;
  /** Digest of the head, as in the map. */
  headDigest: Buffer;
  /** Sealed keys that were asked for, by id. */
  readonly keys: Map<string, Uint8Array>;
  /** Filter digests of the types and statuses of its activities, as far as they were needed. */
  readonly filters: Map<string, Buffer>;
  /** Number of the newest batch that it is part of; until that is released it stays in memory. */
  batch: number;
};

export type OrganizationCache = {
  /** The newest state; undefined when there is no organization of that id. */
  load(organizationId: string): Promise<Opened | undefined>;
  /** Puts a state that is newer than what the cache or the database has. */
  add(opened: Opened): void;
  /** Fills the fingerprint bucket of a minute, if it has entries that are not in memory. */
  fillFingerprints(opened: Opened, minute: number): Promise<void>;
};

/** Bytes of organizations that stay in memory, by a rough count. */
const capacity = 64 * 1024 * 1024;

function sizeOf({ layout, fingerprints, keys }: Opened): number {
  let size = 2048 + 256 * keys.size;
  // Objects take several times the room of their CBOR.
  for (const page of layout.values()) size += 3 * page.size;
  for (const { entries } of fingerprints.values()) size += 256 + 192 * (entries?.size ?? 0);
  return size;
}

export function createOrganizationCache(
  port: Port,
  map: MerkleMap,
  sealer: Sealer,
  headTagKey: KeyObject,
  released: () => number,
): OrganizationCache {
  const cached = new Map<string, { opened: Opened; size: number }>();
  const loading = new Map<string, Promise<Opened>>();
  let total = 0;

  const forget = (id: string) => {
    total -= cached.get(id)?.size ?? 0;
    cached.delete(id);
  };
  const add = (opened: Opened) => {
    const { id } = opened.organization;
    forget(id);
    const size = sizeOf(opened);
    cached.set(id, { opened, size });
    total += size;
    for (const [oldest, entry] of cached) {
      if (total <= capacity || oldest === id) break;
      // What is not released may not be in the database yet; it goes to the back of the queue.
      if (entry.opened.batch <= released()) {
        forget(oldest);
      } else {
        cached.delete(oldest);
        cached.set(oldest, entry);
      }
    }
  };

  const open = async (organizationId: string, digest: Buffer): Promise<Opened> => {
    const id = ownBytes(uuidBytes(organizationId));
    const rows = await fetchRows(port, { what: 'organization', organizationId: id });
    if (!rows.head || !rows.counters || !sha256(rows.head).equals(digest)) throw stale(organizationId, 'head');
    const head = decodeHead(id, rows.head, headTagKey);
    const layout = layoutOf(rows.pages);
    const complete = layout.size === rows.pages.length && digestOfPages(layout).equals(head.pages);
    if (!complete) throw stale(organizationId, 'pages');
    if (!sha256(rows.counters).equals(head.counters)) throw stale(organizationId, 'counters');
    const pages = openPages(id, rows.pages, sealer);
    const counters = sealer.open({ kind: 'counters', organization: id, id: Buffer.alloc(0) }, rows.counters);
    return {
      id,
      organization: {
        id: organizationId,
        parentId: head.parent && uuidText(head.parent),
        ...pages.content,
        counters: decode(counters.plaintext) as Counters,
        deleted: head.deleted,
      },
      sequence: head.sequence,
      layout: pages.layout,
      pagesDigest: ownBytes(head.pages),
      counters: ownBytes(rows.counters),
      fingerprints: openBuckets(head.fingerprints),
      headDigest: digest,
      keys: new Map(),
      filters: new Map(),
      batch: 0,
    };
  };

  /** A request that still holds the organization may bring it further while its rows are on their way. */
  const openNewest = async (organizationId: string, digest: Buffer): Promise<Opened> => {
    const opened = await open(organizationId, digest).catch((error: unknown) => error as Error);
    const newer = cached.get(organizationId);
    if (newer) return newer.opened;
    const current = map.get(headKey(uuidBytes(organizationId)));
    if (current && !current.equals(digest)) return openNewest(organizationId, ownBytes(current));
    if (opened instanceof Error) throw opened;
    add(opened);
    return opened;
  };

  return {
    async load(organizationId) {
      const hit = cached.get(organizationId);
      if (hit) {
        cached.delete(organizationId);
        cached.set(organizationId, hit);
        return hit.opened;
      }
      // One load at a time for each organization: rows fetched before a transition must never replace its state.
      const underway = loading.get(organizationId);
      if (underway) return underway;
      const digest = map.get(headKey(uuidBytes(organizationId)));
      if (!digest) return undefined;
      const load = openNewest(organizationId, ownBytes(digest)).finally(() => loading.delete(organizationId));
      loading.set(organizationId, load);
      return load;
    },
    add,
    async fillFingerprints(opened, minute) {
      if (opened.batch <= released()) trimBuckets(opened.fingerprints, minute);
      const bucket = opened.fingerprints.get(minute);
      if (!bucket || bucket.entries) return;
      const rows = await fetchRows(port, { what: 'fingerprints', organizationId: opened.id, minute });
      if (!bucket.entries) fillBucket(bucket, rows.entries);
    },
  };
}

const stale = (organizationId: string, what: string): RowIntegrityError =>
  new RowIntegrityError(`the ${what} of organization ${organizationId} in the database are not the current ones`);
