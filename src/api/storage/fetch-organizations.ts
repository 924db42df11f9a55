import type { Pool } from 'pg';
import type { FetchedRows } from '../../protocol/messages.ts';
import { uuids } from './parameters.ts';
import { select } from './select.ts';

type Organization = Extract<FetchedRows, { what: 'organization' }>;

type Row = {
  organization_id: Buffer;
  kind: string | null;
  index: number | null;
  version: number | null;
  /** The sealed page, or the head where `kind` is null. */
  content: Buffer;
  counters: Buffer | null;
};

/** One statement, so that an organization's head and pages are of one moment. */
const statement = {
  name: 'organizations',
  text: `
    select organization_id, null::text as kind, null::integer as index, null::bigint as version, head as content, counters
    from heads where organization_id = any($1::uuid[])
    union all
    select organization_id, kind, index, version, sealed, null
    from pages where organization_id = any($1::uuid[])`,
};

/** Heads and pages of the organizations `ids` (16 bytes each), in their order; `head` is null where there is none. */
export async function fetchOrganizations(pool: Pool, ids: readonly Uint8Array[]): Promise<Organization[]> {
  const rows = await select<Row>(pool, statement, [uuids(ids)]);
  const found = new Map<string, Organization>();
  for (const id of ids) found.set(keyOf(id), { what: 'organization', head: null, counters: null, pages: [] });
  for (const { organization_id, kind, index, version, content, counters } of rows) {
    const organization = found.get(keyOf(organization_id)) as Organization;
    if (kind === null) Object.assign(organization, { head: content, counters });
    else organization.pages.push({ kind, index: index as number, version: version as number, sealed: content });
  }
  return ids.map((id) => found.get(keyOf(id)) as Organization);
}

const keyOf = (id: Uint8Array): string => Buffer.from(id.buffer, id.byteOffset, id.byteLength).toString('latin1');
