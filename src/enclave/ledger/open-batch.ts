/** The batch that transitions join: the rows and changes that it will leave with, the newest version of each. */
import type { ActivityRow, BatchRows, HeadRow, KeyRow, LookupRow, PageRow } from '../../protocol/messages.ts';
import type { MapChange } from './batch-record.ts';

/** Rows of a batch without those that are known only when it closes. */
type PendingRows = Omit<BatchRows, 'number' | 'record' | 'entries' | 'firstLeaf'>;

export type OpenBatch = {
  readonly firstLeaf: number;
  readonly logEntries: Uint8Array[];
  readonly leaves: Buffer[];
  readonly tiles: BatchRows['tiles'];
  setHead(row: HeadRow): void;
  setPage(row: PageRow): void;
  removePage(organizationId: Uint8Array, kind: string, index: number): void;
  setKey(row: KeyRow): void;
  removeKey(organizationId: Uint8Array, keyId: Uint8Array): void;
  addActivity(row: ActivityRow): void;
  setHint(hint: Uint8Array, organizationId: Uint8Array, present: boolean): void;
  /** Remembers that the map's entry `key` went from `before` to `after`. */
  changeEntry(key: Uint8Array, before: Uint8Array | null, after: Uint8Array | null): void;
  changes(): MapChange[];
  /** Bytes of all sealed rows that it was given. */
  size(): number;
  rows(): PendingRows;
};

type Versioned<Row> = Map<string, { row: Row; present: boolean }>;

const named = (...parts: (Uint8Array | string)[]): string =>
  parts.map((part) => (typeof part === 'string' ? part : Buffer.from(part).toString('latin1'))).join('/');

export function createOpenBatch(firstLeaf: number, isLookup: (key: Uint8Array) => boolean): OpenBatch {
  const heads = new Map<string, HeadRow>();
  const pages: Versioned<PageRow> = new Map();
  const keys: Versioned<KeyRow> = new Map();
  const hints: Versioned<{ hint: Uint8Array; organizationId: Uint8Array }> = new Map();
  const entries = new Map<string, MapChange>();
  const activities: ActivityRow[] = [];
  const tiles: BatchRows['tiles'] = [];
  const none = Buffer.alloc(0);
  let size = 0;

  return {
    firstLeaf,
    logEntries: [],
    leaves: [],
    tiles,
    setHead(row) {
      size += row.head.length + row.counters.length;
      heads.set(named(row.organizationId), row);
    },
    setPage(row) {
      size += row.sealed.length;
      pages.set(named(row.organizationId, row.kind, String(row.index)), { row, present: true });
    },
    removePage(organizationId, kind, index) {
      const row = { organizationId, kind, index, version: 0, sealed: none };
      pages.set(named(organizationId, kind, String(index)), { row, present: false });
    },
    setKey(row) {
      size += row.sealed.length;
      keys.set(named(row.organizationId, row.keyId), { row, present: true });
    },
    removeKey: (organizationId, keyId) =>
      keys.set(named(organizationId, keyId), { row: { organizationId, keyId, sealed: none }, present: false }),
    setHint: (hint, organizationId, present) =>
      hints.set(named(hint, organizationId), { row: { hint, organizationId }, present }),
    changeEntry(key, before, after) {
      const known = entries.get(named(key));
      entries.set(named(key), [key, known ? known[1] : before, after]);
    },
    addActivity(row) {
      size += row.sealed.length;
      activities.push(row);
    },
    changes: () => [...entries.values()],
    size: () => size,
    rows() {
      const lookups: LookupRow[] = [];
      const removedLookups: Uint8Array[] = [];
      for (const [key, , after] of entries.values()) {
        if (!isLookup(key)) continue;
        if (after) lookups.push({ key, value: after });
        else removedLookups.push(key);
      }
      return {
        heads: [...heads.values()],
        pages: present(pages),
        removedPages: absent(pages).map(({ organizationId, kind, index }) => ({ organizationId, kind, index })),
        keys: present(keys),
        removedKeys: absent(keys).map(({ organizationId, keyId }) => ({ organizationId, keyId })),
        activities,
        lookups,
        removedLookups,
        hints: present(hints),
        removedHints: absent(hints),
        tiles,
      };
    },
  };
}

const present = <Row>(rows: Versioned<Row>): Row[] => [...rows.values()].filter((r) => r.present).map((r) => r.row);
const absent = <Row>(rows: Versioned<Row>): Row[] => [...rows.values()].filter((r) => !r.present).map((r) => r.row);
