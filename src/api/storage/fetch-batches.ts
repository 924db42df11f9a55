import type { Pool } from 'pg';
import type { FetchedBatch } from '../../protocol/messages.ts';
import { select } from './select.ts';

type Row = { number: number; record: Buffer; entries: Buffer; first_leaf: number };

const above = {
  name: 'batches-above',
  text: 'select number, record, entries, first_leaf from batches where number > $1 order by number limit 16',
};
const last = {
  name: 'last-batch',
  text: 'select number, record, entries, first_leaf from batches order by number desc limit 1',
};

const toBatch = ({ first_leaf, ...row }: Row): FetchedBatch => ({ ...row, firstLeaf: first_leaf });

/** Batches with a number above `after`, ascending, at most 16. */
export async function fetchBatches(pool: Pool, after: number): Promise<FetchedBatch[]> {
  return (await select<Row>(pool, above, [after])).map(toBatch);
}

/** The batch with the highest number, if there is one. */
export async function fetchLastBatch(pool: Pool): Promise<FetchedBatch[]> {
  return (await select<Row>(pool, last, [])).map(toBatch);
}
