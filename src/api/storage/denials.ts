/** Notes of denials: a few sealed rows an organization, written over in turn. Losing one loses an explanation. */
import type { Pool } from 'pg';
import type { DenialRow } from '../../protocol/messages.ts';
import { bytes } from './parameters.ts';
import { select } from './select.ts';

const upsert = {
  name: 'note-denial',
  text: `
    insert into denials (organization_id, slot, sealed) values ($1::uuid, $2, $3)
    on conflict (organization_id, slot) do update set sealed = excluded.sealed`,
};

export async function noteDenial(pool: Pool, { organizationId, slot, sealed }: DenialRow): Promise<void> {
  await pool.query({ ...upsert, values: [bytes(organizationId), slot, bytes(sealed)] });
}

const ofOrganization = {
  name: 'denials',
  text: `select slot, sealed from denials where organization_id = $1::uuid`,
};

export const fetchDenials = (pool: Pool, organizationId: Uint8Array): Promise<Omit<DenialRow, 'organizationId'>[]> =>
  select(pool, ofOrganization, [bytes(organizationId)]);
