/** Ranges of the two tables that make up the Merkle map; the enclave reads them whole when it starts. */
import type { Pool } from 'pg';
import type { FetchedRows } from '../../protocol/messages.ts';
import { bytes } from './parameters.ts';
import { select } from './select.ts';

type Range = { after: Uint8Array | null; through: Uint8Array; limit: number };
type Head = Extract<FetchedRows, { what: 'heads' }>['heads'][number];

/** Keeps an answer far below the largest frame. */
const largestPage = 8192;

const heads = {
  name: 'heads',
  text: `
    select organization_id, head from heads where organization_id > $1 and organization_id <= $2
    order by organization_id limit $3`,
};
const lookups = {
  name: 'lookups',
  text: 'select key, value from lookups where key > $1 and key <= $2 order by key limit $3',
};

const lowestId = Buffer.alloc(16);
const belowAllKeys = Buffer.alloc(0);

/** Heads in ascending order of organization id, above `after`, not above `through`. */
export async function fetchHeads(pool: Pool, { after, through, limit }: Range): Promise<Head[]> {
  type Row = { organization_id: Buffer; head: Buffer };
  const values = [bytes(after ?? lowestId), bytes(through), Math.min(limit, largestPage)];
  const rows = await select<Row>(pool, heads, values);
  return rows.map(({ organization_id, head }) => ({ organizationId: organization_id, head }));
}

/** (key, value) pairs of the look-ups in ascending order of key, above `after`, not above `through`. */
export async function fetchLookups(pool: Pool, { after, through, limit }: Range): Promise<Buffer> {
  type Row = { key: Buffer; value: Buffer };
  const values = [bytes(after ?? belowAllKeys), bytes(through), Math.min(limit, largestPage)];
  const rows = await select<Row>(pool, lookups, values);
  return Buffer.concat(rows.flatMap(({ key, value }) => [key, value]));
}
