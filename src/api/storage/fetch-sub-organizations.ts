import type { Pool } from 'pg';
import type { Fetch } from '../../protocol/messages.ts';
import { bytes } from './parameters.ts';
import { type Select, select } from './select.ts';

type SubOrganizationsFetch = Extract<Fetch, { what: 'subOrganizations' }>;

// No organization has one of these ids.
const lowest = Buffer.alloc(16);
const highest = Buffer.alloc(16, 0xff);
const largestPage = 1000;

const page = (name: string, source: string, order: 'asc' | 'desc'): Select => ({
  name: `${name}-${order}`,
  text: `
    select organization_id from ${source} = $1 and organization_id > $2 and organization_id < $3
    order by organization_id ${order} limit $4`,
});
const byParent = 'heads where parent_id';
const byHint = 'hints where hint';
const statements = {
  parent: { asc: page('children', byParent, 'asc'), desc: page('children', byParent, 'desc') },
  hint: { asc: page('hinted', byHint, 'asc'), desc: page('hinted', byHint, 'desc') },
};

/** Ids in ascending order between `after` and `before`; with `before` alone the page is the one that ends there. */
export async function fetchSubOrganizations(pool: Pool, fetch: SubOrganizationsFetch): Promise<Buffer[]> {
  const { parentId, hint, before, after } = fetch;
  const backwards = before !== null && after === null;
  const statement = statements[hint ? 'hint' : 'parent'][backwards ? 'desc' : 'asc'];
  const limit = Math.min(fetch.limit, largestPage);
  const values = [bytes(hint ?? parentId), bytes(after ?? lowest), bytes(before ?? highest), limit];
  const rows = await select<{ organization_id: Buffer }>(pool, statement, values);
  const ids = rows.map((row) => row.organization_id);
  return backwards ? ids.reverse() : ids;
}
