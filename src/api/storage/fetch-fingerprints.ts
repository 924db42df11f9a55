import type { Pool } from 'pg';
import { bytes } from './parameters.ts';
import { select } from './select.ts';

const statement = {
  name: 'fingerprints',
  text: 'select fingerprint, id from activities where organization_id = $1 and minute = $2 order by position',
};

/** (fingerprint, activity id) pairs of an organization's activities in one Unix minute, in order of position. */
export async function fetchFingerprints(pool: Pool, organizationId: Uint8Array, minute: number): Promise<Buffer> {
  type Row = { fingerprint: Buffer; id: Buffer };
  const rows = await select<Row>(pool, statement, [bytes(organizationId), minute]);
  return Buffer.concat(rows.flatMap(({ fingerprint, id }) => [fingerprint, id]));
}
