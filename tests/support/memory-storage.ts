/** The rows of a ledger in memory, as an honest `api` and its database keep them; and what a test can do to them. */

import { sha256 } from '../../src/enclave/ledger/hash.ts';
import type { Port } from '../../src/enclave/ledger/port.ts';
import { entriesOf } from '../../src/protocol/entry-bundle.ts';
import { leafHash, nodeHash } from '../../src/protocol/log-hash.ts';
import type {
  BatchRows,
  DenialRow,
  Fetch,
  FetchedBatch,
  FetchedRows,
  ProvenActivity,
} from '../../src/protocol/messages.ts';

type Row<K extends keyof BatchRows> = BatchRows[K] extends (infer R)[] ? R : never;

export type Tables = {
  batches: Map<number, FetchedBatch>;
  heads: Map<string, Row<'heads'>>;
  pages: Map<string, Row<'pages'>>;
  keys: Map<string, Row<'keys'>>;
  activities: Map<string, Row<'activities'>>;
  lookups: Map<string, Row<'lookups'>>;
  hints: Map<string, Row<'hints'>>;
  leaves: Map<number, Buffer>;
  tiles: Map<string, Row<'tiles'>>;
  denials: Map<string, DenialRow>;
};

/** Who is told what became of a batch. */
export type Connection = { committed(number: number): void; conflict(number: number): void };

export type MemoryStorage = {
  readonly port: Port;
  tables: Tables;
  /** Batches in the order in which the enclave handed them over, stored or not. */
  readonly received: BatchRows[];
  readonly fetched: Fetch[];
  /** Whether batches are stored, and whether their writers hear of it, at once; otherwise by `storeNext`. */
  store: boolean;
  acknowledge: boolean;
  /** Rewrites what is answered to a fetch; may wait, or throw. */
  answer: (fetch: Fetch, rows: FetchedRows) => FetchedRows | Promise<FetchedRows>;
  /** Takes the place of whoever was connected before. */
  connect(connection: Connection): void;
  /** Stores the oldest batch that is not stored yet. */
  storeNext(): void;
  snapshot(): Tables;
};

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

const emptyTables = (): Tables => ({
  batches: new Map(),
  heads: new Map(),
  pages: new Map(),
  keys: new Map(),
  activities: new Map(),
  lookups: new Map(),
  hints: new Map(),
  leaves: new Map(),
  tiles: new Map(),
  denials: new Map(),
});

const copyOf = (tables: Tables): Tables =>
  Object.fromEntries(Object.entries(tables).map(([name, rows]) => [name, new Map<unknown, unknown>(rows)])) as Tables;

export function createMemoryStorage(): MemoryStorage {
  let connection: Connection | undefined;
  const waiting: BatchRows[] = [];
  const storage: MemoryStorage = {
    port: {
      async fetch(fetch) {
        storage.fetched.push(fetch);
        return storage.answer(fetch, select(storage.tables, fetch));
      },
      note(row) {
        storage.tables.denials.set(`${hex(row.organizationId)}/${row.slot}`, row);
      },
      write(batch) {
        storage.received.push(batch);
        waiting.push(batch);
        if (storage.store) storage.storeNext();
      },
    },
    tables: emptyTables(),
    received: [],
    fetched: [],
    store: true,
    acknowledge: true,
    answer: (_, rows) => rows,
    connect(next) {
      connection = next;
      waiting.length = 0;
    },
    storeNext() {
      const batch = waiting.shift();
      if (!batch) throw new Error('there is no batch to store');
      const writer = connection;
      const isStored = insert(storage.tables, batch);
      if (!storage.acknowledge) return;
      // As over a socket: in another turn, and to nobody once the writer is gone.
      setImmediate(() => {
        if (writer !== connection) return;
        if (isStored) writer?.committed(batch.number);
        else writer?.conflict(batch.number);
      });
    },
    snapshot: () => copyOf(storage.tables),
  };
  return storage;
}

/** False when another batch of that number is there. */
function insert(tables: Tables, batch: BatchRows): boolean {
  const { number, record, entries, firstLeaf } = batch;
  const there = tables.batches.get(number);
  if (there) return Buffer.compare(there.record, record) === 0;
  tables.batches.set(number, { number, record, entries, firstLeaf });
  for (const [at, entry] of entriesOf(entries).entries()) tables.leaves.set(firstLeaf + at, leafHash(entry));
  for (const row of batch.heads) tables.heads.set(hex(row.organizationId), row);
  for (const row of batch.removedPages) tables.pages.delete(pageName(row));
  for (const row of batch.pages) tables.pages.set(pageName(row), row);
  for (const row of batch.removedKeys) tables.keys.delete(keyName(row));
  for (const row of batch.keys) tables.keys.set(keyName(row), row);
  for (const row of batch.activities) tables.activities.set(`${hex(row.organizationId)}/${hex(row.id)}`, row);
  for (const key of batch.removedLookups) tables.lookups.delete(hex(key));
  for (const row of batch.lookups) tables.lookups.set(hex(row.key), row);
  for (const row of batch.removedHints) tables.hints.delete(hintName(row));
  for (const row of batch.hints) tables.hints.set(hintName(row), row);
  for (const row of batch.tiles) tables.tiles.set(`${row.level}/${row.index}`, row);
  return true;
}

const pageName = (row: { organizationId: Uint8Array; kind: string; index: number }) =>
  `${hex(row.organizationId)}/${row.kind}/${row.index}`;
const keyName = (row: { organizationId: Uint8Array; keyId: Uint8Array }) =>
  `${hex(row.organizationId)}/${hex(row.keyId)}`;
const hintName = (row: { hint: Uint8Array; organizationId: Uint8Array }) =>
  `${hex(row.hint)}/${hex(row.organizationId)}`;

const inOrder = <R>(rows: Map<string, R>): R[] => [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
const isAfter = (key: Uint8Array, after: Uint8Array | null) => after === null || Buffer.compare(key, after) > 0;

function select(tables: Tables, fetch: Fetch): FetchedRows {
  const own = <R extends { organizationId: Uint8Array }>(rows: Map<string, R>) => {
    const id = 'organizationId' in fetch ? hex(fetch.organizationId) : '';
    return inOrder(rows).filter((row) => hex(row.organizationId) === id);
  };
  switch (fetch.what) {
    case 'organization': {
      const head = tables.heads.get(hex(fetch.organizationId));
      return {
        what: 'organization',
        head: head?.head ?? null,
        counters: head?.counters ?? null,
        pages: own(tables.pages),
      };
    }
    case 'keys': {
      const wanted = new Set(fetch.keyIds.map(hex));
      return { what: 'keys', keys: own(tables.keys).filter(({ keyId }) => wanted.has(hex(keyId))) };
    }
    case 'fingerprints': {
      const rows = own(tables.activities).filter(({ minute }) => minute === fetch.minute);
      rows.sort((a, b) => a.position - b.position);
      return { what: 'fingerprints', entries: Buffer.concat(rows.flatMap(({ fingerprint, id }) => [fingerprint, id])) };
    }
    case 'activities': {
      const wanted = new Set(fetch.ids.map(hex));
      const rows = own(tables.activities).filter(({ id }) => wanted.has(hex(id)));
      return { what: 'activities', activities: proven(tables, rows, fetch.treeSize) };
    }
    case 'activityList': {
      const rows = own(tables.activities).sort((a, b) => b.leafIndex - a.leafIndex);
      const { before, after, limit } = fetch;
      const placeOf = (id: Uint8Array) => rows.findIndex((row) => hex(row.id) === hex(id));
      const between = rows.slice(after ? placeOf(after) + 1 : 0, before ? placeOf(before) : rows.length);
      const page = before && !after ? between.slice(-limit) : between.slice(0, limit);
      return { what: 'activityList', activities: proven(tables, page, fetch.treeSize) };
    }
    case 'subOrganizations': {
      const { parentId, after, limit, hint } = fetch;
      const rows = inOrder(tables.heads).filter(
        (row) =>
          row.parentId !== null &&
          hex(row.parentId) === hex(parentId) &&
          isAfter(row.organizationId, after) &&
          (hint === null || tables.hints.has(hintName({ hint, organizationId: row.organizationId }))),
      );
      return { what: 'subOrganizations', organizationIds: rows.slice(0, limit).map((row) => row.organizationId) };
    }
    case 'batches': {
      const rows = [...tables.batches.values()].filter(({ number }) => number > fetch.after);
      return { what: 'batches', batches: rows.sort((a, b) => a.number - b.number).slice(0, 16) };
    }
    case 'lastBatch': {
      const rows = [...tables.batches.values()].sort((a, b) => a.number - b.number);
      return { what: 'lastBatch', batches: rows.slice(-1) };
    }
    case 'heads': {
      const rows = inOrder(tables.heads).filter(
        ({ organizationId: id }) => isAfter(id, fetch.after) && !isAfter(id, fetch.through),
      );
      return { what: 'heads', heads: rows.slice(0, fetch.limit) };
    }
    case 'headDigests': {
      const { heads } = select(tables, { ...fetch, what: 'heads' }) as Extract<FetchedRows, { what: 'heads' }>;
      const entries = heads.flatMap(({ organizationId, head }) => [organizationId, Buffer.alloc(16), sha256(head)]);
      return { what: 'headDigests', entries: Buffer.concat(entries) };
    }
    case 'lookups': {
      const rows = inOrder(tables.lookups).filter(
        ({ key }) => isAfter(key, fetch.after) && !isAfter(key, fetch.through),
      );
      return {
        what: 'lookups',
        entries: Buffer.concat(rows.slice(0, fetch.limit).flatMap(({ key, value }) => [key, value])),
      };
    }
    case 'denials':
      return { what: 'denials', notes: own(tables.denials) };
    case 'inclusion': {
      const hashes = Array.from({ length: fetch.treeSize }, (_, at) => tables.leaves.get(at) ?? Buffer.alloc(32));
      return { what: 'inclusion', path: Buffer.concat(naivePath(fetch.index, hashes)) };
    }
    case 'frontier':
      return { what: 'frontier', tiles: frontier(tables, fetch.size) };
  }
}

function frontier({ leaves, tiles }: Tables, size: number): Buffer[] {
  const partial: Buffer[] = [];
  for (let level = 0, count = size; count > 0; level++, count = Math.floor(count / 256)) {
    const hashes: Uint8Array[] = [];
    for (let index = count - (count % 256); index < count; index++) {
      const hash = level === 0 ? leaves.get(index) : tiles.get(`${level - 1}/${index}`)?.root;
      if (hash) hashes.push(hash);
    }
    partial.push(Buffer.concat(hashes));
  }
  return partial;
}

function proven({ leaves }: Tables, rows: readonly Row<'activities'>[], treeSize: number): ProvenActivity[] {
  const hashes = Array.from({ length: treeSize }, (_, index) => leaves.get(index) ?? Buffer.alloc(32));
  return rows
    .filter(({ leafIndex }) => leafIndex < treeSize)
    .map(({ id, leafIndex, sealed }) => ({ id, leafIndex, sealed, path: Buffer.concat(naivePath(leafIndex, hashes)) }));
}

/** RFC 6962 §2.1, word for word. */
export function naiveRoot(hashes: readonly Buffer[]): Buffer {
  if (hashes.length === 1) return hashes[0] as Buffer;
  const split = largestPowerBelow(hashes.length);
  return nodeHash(naiveRoot(hashes.slice(0, split)), naiveRoot(hashes.slice(split)));
}

/** RFC 6962 §2.1.1, word for word. */
export function naivePath(index: number, hashes: readonly Buffer[]): Buffer[] {
  if (hashes.length <= 1) return [];
  const split = largestPowerBelow(hashes.length);
  return index < split
    ? [...naivePath(index, hashes.slice(0, split)), naiveRoot(hashes.slice(split))]
    : [...naivePath(index - split, hashes.slice(split)), naiveRoot(hashes.slice(0, split))];
}

const largestPowerBelow = (size: number): number => 2 ** Math.floor(Math.log2(size - 1));
