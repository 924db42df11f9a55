import type { BatchRows, DenialRow, Fetch, FetchedRows } from '../../protocol/messages.ts';
import { RowIntegrityError } from '../sealing/seal.ts';

/** The way to `api`, which keeps the rows. */
export type Port = {
  /** Rejects with UNAVAILABLE when `api` cannot read them. What it resolves to is not to be believed. */
  fetch(fetch: Fetch): Promise<FetchedRows>;
  write(batch: BatchRows): void;
  /** Keeps a note that nothing waits for. */
  note(row: DenialRow): void;
};

type Answered<W extends Fetch['what']> = Extract<FetchedRows, { what: W }>;

/** Fetches rows and refuses what is no answer to the question; whether the rows are right is for the caller to check. */
export async function fetchRows<F extends Fetch>(port: Port, fetch: F): Promise<Answered<F['what']>> {
  const rows = await port.fetch(fetch);
  if (rows?.what !== fetch.what || !shapes[fetch.what]({ ...rows })) {
    throw new RowIntegrityError(`the database's answer about ${fetch.what} is none`);
  }
  return rows as Answered<F['what']>;
}

type Row = Readonly<Record<string, unknown>>;

const isBytes = (value: unknown): value is Uint8Array => value instanceof Uint8Array;
const isBytesOrNull = (value: unknown): boolean => value === null || isBytes(value);
const isId = (value: unknown): value is Uint8Array => isBytes(value) && value.length === 16;
const areAll = (list: unknown, check: (element: unknown) => boolean): boolean =>
  Array.isArray(list) && list.every(check);
const areRows = (list: unknown, check: (row: Row) => boolean): boolean =>
  areAll(list, (row) => typeof row === 'object' && row !== null && check(row as Row));
const areDistinct = (ids: readonly Uint8Array[]): boolean =>
  new Set(ids.map((id) => Buffer.from(id).toString('latin1'))).size === ids.length;

const areActivities = ({ activities }: Row): boolean =>
  areRows(activities, ({ id, sealed, path }) => isId(id) && isBytes(sealed) && isBytes(path)) &&
  areDistinct((activities as { id: Uint8Array }[]).map(({ id }) => id));
const areBatches = ({ batches }: Row): boolean =>
  areRows(
    batches,
    ({ number, record, entries }) => Number.isSafeInteger(number) && isBytes(record) && isBytes(entries),
  );

const shapes: { readonly [What in Fetch['what']]: (rows: Row) => boolean } = {
  organization: ({ head, counters, pages }) =>
    isBytesOrNull(head) &&
    isBytesOrNull(counters) &&
    areRows(pages, (page) => typeof page.kind === 'string' && Number.isSafeInteger(page.index) && isBytes(page.sealed)),
  keys: ({ keys }) => areRows(keys, ({ keyId, sealed }) => isId(keyId) && isBytes(sealed)),
  fingerprints: ({ entries }) => isBytes(entries),
  activities: areActivities,
  activityList: areActivities,
  subOrganizations: ({ organizationIds }) =>
    areAll(organizationIds, isId) && areDistinct(organizationIds as Uint8Array[]),
  batches: areBatches,
  lastBatch: areBatches,
  heads: ({ heads }) => areRows(heads, ({ organizationId, head }) => isId(organizationId) && isBytes(head)),
  headDigests: ({ entries }) => isBytes(entries),
  lookups: ({ entries }) => isBytes(entries),
  frontier: ({ tiles }) => areAll(tiles, isBytes),
  denials: ({ notes }) => areRows(notes, ({ slot, sealed }) => Number.isSafeInteger(slot) && isBytes(sealed)),
  inclusion: ({ path }) => isBytes(path),
};
