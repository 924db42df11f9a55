/**
 * The rows of the ledger (DESIGN §4, §8). Every table that grows with the organizations is keyed by the organization's id
 * first, so that it can be distributed by it. What the columns hold is described at the row types in
 * `src/protocol/messages.ts`; nothing in them is believed without the enclave's check.
 */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  // A head is rewritten with every request: room in its page lets PostgreSQL do that in place (HOT).
  await sql`
    create table heads (
      organization_id uuid primary key,
      parent_id uuid,
      head bytea not null,
      counters bytea not null
    ) with (fillfactor = 60, toast_tuple_target = 8160)`.execute(db);
  await sql`create index heads_by_parent on heads (parent_id, organization_id)`.execute(db);

  await sql`
    create table pages (
      organization_id uuid not null,
      kind text not null,
      index integer not null,
      version bigint not null,
      sealed bytea not null,
      primary key (organization_id, kind, index)
    )`.execute(db);

  await sql`
    create table keys (
      organization_id uuid not null,
      key_id uuid not null,
      sealed bytea not null,
      primary key (organization_id, key_id)
    )`.execute(db);

  await sql`
    create table activities (
      organization_id uuid not null,
      id uuid not null,
      leaf_index bigint not null,
      minute integer not null,
      position integer not null,
      fingerprint bytea not null,
      type_hint bytea not null,
      status_hint bytea not null,
      sealed bytea not null,
      primary key (organization_id, id)
    )`.execute(db);
  await sql`create index activities_by_minute on activities (organization_id, minute, position)`.execute(db);

  await sql`
    create table denials (
      organization_id uuid not null,
      slot integer not null,
      sealed bytea not null,
      primary key (organization_id, slot)
    )`.execute(db);

  await sql`create table lookups (key bytea primary key, value bytea not null)`.execute(db);

  await sql`
    create table hints (
      hint bytea not null,
      organization_id uuid not null,
      primary key (hint, organization_id)
    )`.execute(db);

  await sql`
    create table batches (
      number bigint primary key,
      record bytea not null,
      entries bytea not null,
      first_leaf bigint not null
    )`.execute(db);
  await sql`create index batches_by_first_leaf on batches (first_leaf)`.execute(db);

  await sql`
    create table log_tiles (
      level integer not null,
      index bigint not null,
      hashes bytea not null,
      root bytea not null,
      primary key (level, index)
    )`.execute(db);

  await sql`
    create table lease (
      name text primary key,
      fence bigint not null,
      holder bytea not null,
      backend text not null,
      taken bigint not null
    )`.execute(db);

  // Hashes and ciphertext do not compress; PostgreSQL need not try.
  const incompressible = {
    heads: ['head', 'counters'],
    pages: ['sealed'],
    keys: ['sealed'],
    activities: ['sealed'],
    batches: ['record', 'entries'],
    log_tiles: ['hashes'],
  };
  for (const [table, columns] of Object.entries(incompressible)) {
    for (const column of columns) {
      await sql`alter table ${sql.table(table)} alter column ${sql.ref(column)} set storage external`.execute(db);
    }
  }
}

export async function down(db: Kysely<unknown>): Promise<void> {
  const tables = [
    'heads',
    'pages',
    'keys',
    'activities',
    'denials',
    'lookups',
    'hints',
    'batches',
    'log_tiles',
    'lease',
  ];
  for (const table of tables) await db.schema.dropTable(table).execute();
}
