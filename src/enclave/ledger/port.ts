import type { BatchRows, Fetch, FetchedRows } from '../../protocol/messages.ts';
import { RowIntegrityError } from '../sealing/seal.ts';

/** The way to `api`, which keeps the rows. */
export type Port = {
  /** Rejects with UNAVAILABLE when `api` cannot read them. What it resolves to is not to be believed. */
  fetch(fetch: Fetch): Promise<FetchedRows>;
  write(batch: BatchRows): void;
};

type Answered<W extends Fetch['what']> = Extract<FetchedRows, { what: W }>;

/** Fetches rows and refuses an answer to another question. */
export async function fetchRows<F extends Fetch>(port: Port, fetch: F): Promise<Answered<F['what']>> {
  const rows = await port.fetch(fetch);
  if (rows?.what !== fetch.what) throw new RowIntegrityError(`asked for ${fetch.what}, got something else`);
  return rows as Answered<F['what']>;
}
