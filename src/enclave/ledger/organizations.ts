/** Organizations in memory: opened from rows that are checked against the map, in a cache of bounded size. */
import { decode } from '../../protocol/cbor.ts';
import { uuidBytes, uuidText } from '../../protocol/uuid.ts';
import { RowIntegrityError, type Sealer } from '../sealing/seal.ts';
import type { Counters, Organization } from '../state.ts';
import { type FingerprintBuckets, fillBucket, openBuckets, trimBuckets } from './fingerprints.ts';
import { sha256 } from './hash.ts';
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
  /** Number of the newest batch that it is part of; until that is released it stays in memory. */
  batch: number;
  readonly size: number;
};

export type OrganizationCache = {
  /** The newest state; undefined when there is no organization of that id. */
  load(organizationId: string): Promise<Opened | undefined>;
  /** Puts a state that is newer than what the cache or the database has. */
  add(opened: Opened): void;
  /** Fills the fingerprint bucket of a minute, if it has entries that are not in memory. */
  fillFingerprints(opened: Opened, minute: number): Promise<void>;
};

/** Bytes of opened pages that stay in memory, by a rough count. */
const capacity = 64 * 1024 * 1024;
/** Objects take several times the room of their CBOR. */
const sizeOf = (plaintext: number): number => 2048 + 3 * plaintext;

export function createOrganizationCache(
  port: Port,
  map: MerkleMap,
  sealer: Sealer,
  headTagKey: Buffer,
  released: () => number,
): OrganizationCache {
  const cached = new Map<string, Opened>();
  const loading = new Map<string, Promise<Opened>>();
  let size = 0;

  const add = (opened: Opened) => {
    size -= cached.get(opened.organization.id)?.size ?? 0;
    cached.delete(opened.organization.id);
    cached.set(opened.organization.id, opened);
    size += opened.size;
    for (const [id, oldest] of cached) {
      if (size <= capacity) break;
      // What is not released may not be in the database yet; it goes to the back of the queue.
      cached.delete(id);
      if (oldest.batch > released()) cached.set(id, oldest);
      else size -= oldest.size;
      if (oldest === opened) break;
    }
  };

  const open = async (organizationId: string, digest: Buffer): Promise<Opened> => {
    const id = uuidBytes(organizationId);
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
      pagesDigest: Buffer.from(head.pages),
      counters: Buffer.from(rows.counters),
      fingerprints: openBuckets(head.fingerprints),
      headDigest: digest,
      keys: new Map(),
      batch: 0,
      size: sizeOf(pages.size),
    };
  };

  return {
    async load(organizationId) {
      const hit = cached.get(organizationId);
      if (hit) {
        cached.delete(organizationId);
        cached.set(organizationId, hit);
        return hit;
      }
      // One load at a time for each organization: rows fetched before a transition must never replace its state.
      const underway = loading.get(organizationId);
      if (underway) return underway;
      const digest = map.get(headKey(uuidBytes(organizationId)));
      if (!digest) return undefined;
      const load = open(organizationId, Buffer.from(digest)).finally(() => loading.delete(organizationId));
      loading.set(organizationId, load);
      const opened = await load;
      if (!cached.has(organizationId)) add(opened);
      return opened;
    },
    add,
    async fillFingerprints(opened, minute) {
      trimBuckets(opened.fingerprints, opened.batch <= released());
      const bucket = opened.fingerprints.get(minute);
      if (!bucket || bucket.entries) return;
      const rows = await fetchRows(port, { what: 'fingerprints', organizationId: opened.id, minute });
      if (!bucket.entries) fillBucket(bucket, rows.entries);
    },
  };
}

const stale = (organizationId: string, what: string): RowIntegrityError =>
  new RowIntegrityError(`the ${what} of organization ${organizationId} in the database are not the current ones`);
