import type { Pool } from 'pg';
import type { FetchedRows } from '../../protocol/messages.ts';
import { uuids } from './parameters.ts';
import { select } from './select.ts';

type Keys = Extract<FetchedRows, { what: 'keys' }>;
type Wish = { organizationId: Uint8Array; keyIds: readonly Uint8Array[] };

const statement = {
  name: 'keys',
  text: `
    select organization_id, key_id, sealed from keys
    where organization_id = any($1::uuid[]) and key_id = any($2::uuid[])`,
};

/** The sealed keys that each of `wishes` names, in their order; keys that are not there are left out. */
export async function fetchKeys(pool: Pool, wishes: readonly Wish[]): Promise<Keys[]> {
  const organizationIds = uuids(wishes.map(({ organizationId }) => organizationId));
  const keyIds = uuids(wishes.flatMap(({ keyIds }) => keyIds));
  type Row = { organization_id: Buffer; key_id: Buffer; sealed: Buffer };
  const rows = await select<Row>(pool, statement, [organizationIds, keyIds]);
  return wishes.map((wish) => ({
    what: 'keys',
    keys: rows
      .filter(({ organization_id }) => organization_id.equals(wish.organizationId))
      .filter(({ key_id }) => wish.keyIds.some((id) => key_id.equals(id)))
      .map(({ key_id, sealed }) => ({ keyId: key_id, sealed })),
  }));
}
