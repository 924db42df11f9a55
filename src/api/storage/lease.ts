/**
 * One row says which enclave the database is for, and over which connection it is written: as long as that connection lives,
 * nobody else gets it, and with its end, be it by a crash, it is free. It keeps a second start by mistake from stopping the first
 * one; what protects the state is the batches' numbers and the anchor.
 */
import type { ClientBase } from 'pg';

/** A connection of the server, told apart from later ones of its process id. */
const connection = (activity: string) => `${activity}.pid || ' ' || extract(epoch from ${activity}.backend_start)`;

const take = {
  name: 'take-lease',
  text: `
    insert into lease (name, fence, holder, backend, taken)
    select 'enclave', 1, $1::bytea, ${connection('own')}, floor(extract(epoch from now()) * 1000)
    from pg_stat_activity own where own.pid = pg_backend_pid()
    on conflict (name) do update
    set fence = lease.fence + 1, holder = excluded.holder, backend = excluded.backend, taken = excluded.taken
    where lease.holder = excluded.holder or lease.backend = excluded.backend or not exists (
      select 1 from pg_stat_activity a where ${connection('a')} = lease.backend)`,
};
const read = { name: 'lease', text: `select holder, taken from lease where name = 'enclave'` };

/** null when the database is `boot`'s (a boot id) from now on; otherwise who holds it. */
export async function takeLease(client: ClientBase, boot: Uint8Array): Promise<string | null> {
  const { rowCount } = await client.query({ ...take, values: [Buffer.from(boot)] });
  if (rowCount) return null;
  const { rows } = await client.query<{ holder: Buffer; taken: number }>(read);
  const [held] = rows;
  if (!held) return 'the lease of the database was deleted just now';
  const since = new Date(held.taken).toISOString();
  return `the enclave with boot id ${held.holder.toString('hex')} writes to this database since ${since}: stop it first; this one goes on as soon as it has ended`;
}
