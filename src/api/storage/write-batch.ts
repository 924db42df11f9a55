/** Writes one batch of the ledger in one statement, which is one transaction and one round trip (DESIGN §4). */
import type { ClientBase } from 'pg';
import type { BatchRows } from '../../protocol/messages.ts';
import { byteas, bytes, int4s, int8s, texts, uuids } from './parameters.ts';

/** What became of a batch: it is durable, or another one of its number was there before. */
export type WriteOutcome = 'committed' | 'conflict';

/** One table's share: how many rows it has in a batch, its arrays, and the statement with a place for each of them. */
type Part = {
  readonly name: string;
  rows(batch: BatchRows): readonly unknown[];
  columns(batch: BatchRows): Buffer[];
  sql(...places: string[]): string;
};

const part = <Row>(definition: {
  name: string;
  rows: (batch: BatchRows) => readonly Row[];
  columns: (rows: readonly Row[]) => Buffer[];
  sql: (...places: string[]) => string;
}): Part => ({ ...definition, columns: (batch) => definition.columns(definition.rows(batch)) });

const parts: readonly Part[] = [
  part({
    name: 'heads',
    rows: (batch) => batch.heads,
    columns: (rows) => [
      uuids(rows.map((row) => row.organizationId)),
      uuids(rows.map((row) => row.parentId)),
      byteas(rows.map((row) => row.head)),
      byteas(rows.map((row) => row.counters)),
    ],
    sql: (id, parent, head, counters) => `
      insert into heads (organization_id, parent_id, head, counters)
      select * from unnest(${id}::uuid[], ${parent}::uuid[], ${head}::bytea[], ${counters}::bytea[])
      on conflict (organization_id) do update
      set parent_id = excluded.parent_id, head = excluded.head, counters = excluded.counters`,
  }),
  part({
    name: 'activities',
    rows: (batch) => batch.activities,
    columns: (rows) => [
      uuids(rows.map((row) => row.organizationId)),
      uuids(rows.map((row) => row.id)),
      int8s(rows.map((row) => row.leafIndex)),
      int4s(rows.map((row) => row.minute)),
      int4s(rows.map((row) => row.position)),
      byteas(rows.map((row) => row.fingerprint)),
      byteas(rows.map((row) => row.typeHint)),
      byteas(rows.map((row) => row.statusHint)),
      byteas(rows.map((row) => row.sealed)),
    ],
    sql: (organization, id, leaf, minute, position, fingerprint, type, status, sealed) => `
      insert into activities (organization_id, id, leaf_index, minute, position, fingerprint, type_hint, status_hint, sealed)
      select * from unnest(${organization}::uuid[], ${id}::uuid[], ${leaf}::bigint[], ${minute}::integer[],
        ${position}::integer[], ${fingerprint}::bytea[], ${type}::bytea[], ${status}::bytea[], ${sealed}::bytea[])`,
  }),
  part({
    name: 'pages',
    rows: (batch) => batch.pages,
    columns: (rows) => [
      uuids(rows.map((row) => row.organizationId)),
      texts(rows.map((row) => row.kind)),
      int4s(rows.map((row) => row.index)),
      int8s(rows.map((row) => row.version)),
      byteas(rows.map((row) => row.sealed)),
    ],
    sql: (organization, kind, index, version, sealed) => `
      insert into pages (organization_id, kind, index, version, sealed)
      select * from unnest(${organization}::uuid[], ${kind}::text[], ${index}::integer[], ${version}::bigint[], ${sealed}::bytea[])
      on conflict (organization_id, kind, index) do update set version = excluded.version, sealed = excluded.sealed`,
  }),
  part({
    name: 'removed_pages',
    rows: (batch) => batch.removedPages,
    columns: (rows) => [
      uuids(rows.map((row) => row.organizationId)),
      texts(rows.map((row) => row.kind)),
      int4s(rows.map((row) => row.index)),
    ],
    sql: (organization, kind, index) => `
      delete from pages where organization_id = any(${organization}::uuid[]) and (organization_id, kind, index)
      in (select * from unnest(${organization}::uuid[], ${kind}::text[], ${index}::integer[]))`,
  }),
  part({
    name: 'keys',
    rows: (batch) => batch.keys,
    columns: (rows) => [
      uuids(rows.map((row) => row.organizationId)),
      uuids(rows.map((row) => row.keyId)),
      byteas(rows.map((row) => row.sealed)),
    ],
    sql: (organization, id, sealed) => `
      insert into keys (organization_id, key_id, sealed)
      select * from unnest(${organization}::uuid[], ${id}::uuid[], ${sealed}::bytea[])
      on conflict (organization_id, key_id) do update set sealed = excluded.sealed`,
  }),
  part({
    name: 'removed_keys',
    rows: (batch) => batch.removedKeys,
    columns: (rows) => [uuids(rows.map((row) => row.organizationId)), uuids(rows.map((row) => row.keyId))],
    sql: (organization, id) => `
      delete from keys where organization_id = any(${organization}::uuid[]) and (organization_id, key_id)
      in (select * from unnest(${organization}::uuid[], ${id}::uuid[]))`,
  }),
  part({
    name: 'lookups',
    rows: (batch) => batch.lookups,
    columns: (rows) => [byteas(rows.map((row) => row.key)), byteas(rows.map((row) => row.value))],
    sql: (key, value) => `
      insert into lookups (key, value) select * from unnest(${key}::bytea[], ${value}::bytea[])
      on conflict (key) do update set value = excluded.value`,
  }),
  part({
    name: 'removed_lookups',
    rows: (batch) => batch.removedLookups,
    columns: (rows) => [byteas(rows)],
    sql: (key) => `delete from lookups where key = any(${key}::bytea[])`,
  }),
  part({
    name: 'hints',
    rows: (batch) => batch.hints,
    columns: (rows) => [byteas(rows.map((row) => row.hint)), uuids(rows.map((row) => row.organizationId))],
    sql: (hint, organization) => `
      insert into hints (hint, organization_id) select * from unnest(${hint}::bytea[], ${organization}::uuid[])
      on conflict do nothing`,
  }),
  part({
    name: 'removed_hints',
    rows: (batch) => batch.removedHints,
    columns: (rows) => [byteas(rows.map((row) => row.hint)), uuids(rows.map((row) => row.organizationId))],
    sql: (hint, organization) => `
      delete from hints where hint = any(${hint}::bytea[]) and (hint, organization_id)
      in (select * from unnest(${hint}::bytea[], ${organization}::uuid[]))`,
  }),
  part({
    name: 'log_tiles',
    rows: (batch) => batch.tiles,
    columns: (rows) => [
      int4s(rows.map((row) => row.level)),
      int8s(rows.map((row) => row.index)),
      byteas(rows.map((row) => row.hashes)),
      byteas(rows.map((row) => row.root)),
    ],
    sql: (level, index, hashes, root) => `
      insert into log_tiles (level, index, hashes, root)
      select * from unnest(${level}::integer[], ${index}::bigint[], ${hashes}::bytea[], ${root}::bytea[])
      on conflict (level, index) do update set hashes = excluded.hashes, root = excluded.root`,
  }),
];

type Statement = { readonly name: string; readonly text: string };

const uniqueViolation = '23505';

/**
 * Writes `batch` unless a batch of its number is there. Rejects when PostgreSQL did not take it, or did not say so: then
 * the same batch may be written again.
 */
export async function writeBatch(client: ClientBase, batch: BatchRows): Promise<WriteOutcome> {
  try {
    await run(client, insertOf(batch));
    return 'committed';
  } catch (error) {
    if ((error as { code?: string }).code !== uniqueViolation) throw error;
    const present = await recordOf(client, batch.number);
    if (!present) throw error;
    return present.equals(batch.record) ? 'committed' : 'conflict';
  }
}

const statements = new Map<number, Statement>();

/** The statement for the tables that this batch touches; batches of signatures need two or three of these at most. */
function insertOf(batch: BatchRows): Statement & { values: unknown[] } {
  const used = parts.filter((part) => part.rows(batch).length > 0);
  const columns = used.map((part) => part.columns(batch));
  const mask = used.reduce((bits, part) => bits | (1 << parts.indexOf(part)), 0);
  const statement = statements.get(mask) ?? { name: `batch-${mask}`, text: compose(used, columns) };
  statements.set(mask, statement);
  const own = [batch.number, bytes(batch.record), bytes(batch.entries), batch.firstLeaf];
  return { ...statement, values: [...own, ...columns.flat()] };
}

function compose(used: readonly Part[], columns: readonly Buffer[][]): string {
  const insert = 'insert into batches (number, record, entries, first_leaf) values ($1, $2, $3, $4)';
  if (used.length === 0) return insert;
  let next = 5;
  const changes = used.map((part, at) => {
    const places = (columns[at] as Buffer[]).map(() => `$${next++}`);
    return `${part.name}_written as (${part.sql(...places)})`;
  });
  return `with ${changes.join(',\n')}\n${insert}`;
}

/**
 * Queries of pg's that are done were seen to outlive the collections of the young generation. Without their parameters
 * that is little; with them V8 collected the whole heap twice a second under load.
 */
async function run(client: ClientBase, query: Statement & { values: unknown[] }): Promise<void> {
  try {
    await client.query(query);
  } finally {
    query.values.length = 0;
  }
}

async function recordOf(client: ClientBase, number: number): Promise<Buffer | undefined> {
  const select = { name: 'batch', text: 'select record from batches where number = $1', values: [number] };
  const { rows } = await client.query<{ record: Buffer }>(select);
  return rows[0]?.record;
}
