/** Ranges of the two tables that make up the Merkle map; the enclave reads them whole when it starts. */
import type { Pool } from 'pg';
import type { FetchedRows } from '../../protocol/messages.ts';
import { bytes } from './parameters.ts';
import { type Select, select } from './select.ts';

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
// A page of the map is one value, put together by PostgreSQL: a row each would cost several times as much here.
const headDigests = {
  name: 'headDigests',
  text: `
    select string_agg(uuid_send(organization_id) || decode(repeat('00', 16), 'hex') || sha256(head), '' order by organization_id)
    as entries from (
      select organization_id, head from heads where organization_id > $1 and organization_id <= $2
      order by organization_id limit $3
    ) as page`,
};
const lookups = {
  name: 'lookups',
  text: `
    select string_agg(key || value, '' order by key) as entries
    from (select key, value from lookups where key > $1 and key <= $2 order by key limit $3) as page`,
};

const lowestId = Buffer.alloc(16);
const none = Buffer.alloc(0);
const belowAllKeys = none;

/** Heads in ascending order of organization id, above `after`, not above `through`. */
export async function fetchHeads(pool: Pool, { after, through, limit }: Range): Promise<Head[]> {
  type Row = { organization_id: Buffer; head: Buffer };
  const values = [bytes(after ?? lowestId), bytes(through), Math.min(limit, largestPage)];
  const rows = await select<Row>(pool, heads, values);
  return rows.map(({ organization_id, head }) => ({ organizationId: organization_id, head }));
}

/** (organization id ‖ 16 zero bytes, SHA-256 of the head) pairs in ascending order, above `after`, not above `through`. */
export const fetchHeadDigests = (pool: Pool, { after, ...range }: Range): Promise<Buffer> =>
  fetchEntries(pool, headDigests, { after: after ?? lowestId, ...range });

/** (key, value) pairs of the look-ups in ascending order of key, above `after`, not above `through`. */
export const fetchLookups = (pool: Pool, { after, ...range }: Range): Promise<Buffer> =>
  fetchEntries(pool, lookups, { after: after ?? belowAllKeys, ...range });

async function fetchEntries(
  pool: Pool,
  statement: Select,
  { after, through, limit }: Range & { after: Uint8Array },
): Promise<Buffer> {
  const values = [bytes(after), bytes(through), Math.min(limit, largestPage)];
  const [page] = await select<{ entries: Buffer | null }>(pool, statement, values);
  return page?.entries ?? none;
}
