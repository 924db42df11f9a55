import { randomBytes } from 'node:crypto';
import type { Client, Pool } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connect, disconnect, openPool } from '../../../src/api/storage/connection.ts';
import { createFetcher } from '../../../src/api/storage/fetch-rows.ts';
import { migrate } from '../../../src/api/storage/migrate.ts';
import { writeBatch } from '../../../src/api/storage/write-batch.ts';
import { sha256 } from '../../../src/enclave/ledger/hash.ts';
import { toEntryBundle } from '../../../src/protocol/entry-bundle.ts';
import type { BatchRows, Fetch, FetchedRows } from '../../../src/protocol/messages.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres.ts';
import { activityOf, emptyBatch, headOf } from './batches.ts';

let server: TestPostgres;
let client: Client;
let pool: Pool;
let number = 0;

beforeAll(async () => {
  server = await startPostgres();
  await Promise.all([migrate(server.url), migrate(server.url)]);
  client = await connect(server.url);
  pool = openPool(server.url);
}, 60_000);
afterAll(async () => {
  disconnect(client);
  await pool.end();
  await server.remove();
});
beforeEach(async () => {
  await client.query('truncate heads, pages, keys, activities, lookups, hints, batches, log_tiles');
  number = 0;
});

const id = (byte: number) => Buffer.alloc(16, byte);
const write = (rows: Partial<BatchRows>) => writeBatch(client, { ...emptyBatch(++number), ...rows });

async function fetchRows<F extends Fetch>(fetch: F): Promise<Extract<FetchedRows, { what: F['what'] }>> {
  return (await createFetcher(pool)(fetch)) as Extract<FetchedRows, { what: F['what'] }>;
}

describe('migrate', () => {
  test('two at once leave one set of tables, and a later one finds nothing to do', async () => {
    await migrate(server.url);
    const { rows } = await pool.query('select name from kysely_migration');
    expect(rows).toEqual([{ name: '0001-ledger' }]);
  });
});

describe('writeBatch', () => {
  test('every kind of row comes back as it was written', async () => {
    const [organizationId, parentId] = [id(1), id(2)];
    const head = headOf(organizationId, parentId);
    const page = { organizationId, kind: 'users', index: 0, version: 2 ** 40, sealed: randomBytes(3000) };
    const key = { organizationId, keyId: id(9), sealed: randomBytes(80) };
    const lookup = { key: Buffer.concat([randomBytes(16), organizationId]), value: randomBytes(32) };
    const activity = activityOf(organizationId, { position: 3 });
    const outcome = await write({
      entries: randomBytes(32),
      heads: [head],
      pages: [page],
      keys: [key],
      lookups: [lookup],
      hints: [{ hint: id(7), organizationId }],
      activities: [activity],
      tiles: [{ level: 0, index: 5, hashes: randomBytes(8192), root: randomBytes(32) }],
    });
    expect(outcome).toBe('committed');

    const { organizationId: _, ...pageRow } = page;
    expect(await fetchRows({ what: 'organization', organizationId })).toEqual({
      what: 'organization',
      head: head.head,
      counters: head.counters,
      pages: [pageRow],
    });
    const { keys } = await fetchRows({ what: 'keys', organizationId, keyIds: [id(9), id(8)] });
    expect(keys).toEqual([{ keyId: id(9), sealed: key.sealed }]);
    const { entries } = await fetchRows({ what: 'lookups', after: null, through: Buffer.alloc(32, 0xff), limit: 10 });
    expect(entries).toEqual(Buffer.concat([lookup.key, lookup.value]));
    const fingerprints = await fetchRows({ what: 'fingerprints', organizationId, minute: activity.minute });
    expect(fingerprints.entries).toEqual(Buffer.concat([activity.fingerprint, activity.id]));
  });

  test('a later batch replaces and removes rows, and only those it names', async () => {
    const [one, two] = [id(1), id(2)];
    const page = (organizationId: Buffer, index: number) => ({
      ...{ organizationId, kind: 'users', index, version: 1, sealed: randomBytes(10) },
    });
    const key = (organizationId: Buffer, keyId: Buffer) => ({ organizationId, keyId, sealed: randomBytes(10) });
    const lookup = (byte: number) => ({ key: Buffer.alloc(32, byte), value: randomBytes(32) });
    await write({
      heads: [headOf(one), headOf(two)],
      pages: [page(one, 0), page(one, 1), page(two, 0), page(two, 1)],
      keys: [key(one, id(3)), key(one, id(4)), key(two, id(5)), key(two, id(6))],
      lookups: [lookup(1), lookup(2)],
      hints: [
        { hint: id(7), organizationId: one },
        { hint: id(8), organizationId: one },
        { hint: id(7), organizationId: two },
        { hint: id(8), organizationId: two },
      ],
    });
    const [head, replaced] = [headOf(one), { ...page(one, 1), version: 2 }];
    await write({
      heads: [head],
      pages: [replaced],
      removedPages: [
        { organizationId: one, kind: 'users', index: 0 },
        { organizationId: two, kind: 'users', index: 1 },
      ],
      removedKeys: [
        { organizationId: one, keyId: id(3) },
        { organizationId: two, keyId: id(6) },
      ],
      removedLookups: [Buffer.alloc(32, 1)],
      removedHints: [
        { hint: id(7), organizationId: one },
        { hint: id(8), organizationId: two },
      ],
    });
    const left = await fetchRows({ what: 'organization', organizationId: one });
    expect(left.head).toEqual(head.head);
    expect(left.pages).toEqual([{ kind: 'users', index: 1, version: 2, sealed: replaced.sealed }]);
    expect((await fetchRows({ what: 'organization', organizationId: two })).pages.map(({ index }) => index)).toEqual([
      0,
    ]);
    const keyIds = [id(3), id(4), id(5), id(6)];
    const keysOf = async (organizationId: Buffer) => (await fetchRows({ what: 'keys', organizationId, keyIds })).keys;
    expect((await keysOf(one)).map(({ keyId }) => keyId)).toEqual([id(4)]);
    expect((await keysOf(two)).map(({ keyId }) => keyId)).toEqual([id(5)]);
    const { rows } = await client.query('select hint, organization_id from hints order by 1');
    expect(rows).toEqual([
      { hint: id(7), organization_id: two },
      { hint: id(8), organization_id: one },
    ]);
    expect((await client.query('select key from lookups')).rows).toEqual([{ key: Buffer.alloc(32, 2) }]);
  });

  test('the same batch again counts as committed, another one of its number as a conflict that changes nothing', async () => {
    const batch = { ...emptyBatch(1), heads: [headOf(id(1))], activities: [activityOf(id(1))] };
    expect(await writeBatch(client, batch)).toBe('committed');
    expect(await writeBatch(client, batch)).toBe('committed');
    const other = { ...emptyBatch(1), record: Buffer.from('other'), heads: [headOf(id(1))] };
    expect(await writeBatch(client, other)).toBe('conflict');
    expect((await fetchRows({ what: 'organization', organizationId: id(1) })).head).toEqual(batch.heads[0]?.head);
  });

  test('a batch that cannot be written whole is not written at all', async () => {
    const activity = activityOf(id(1));
    await write({ activities: [activity] });
    await expect(write({ heads: [headOf(id(1))], activities: [activity] })).rejects.toThrow();
    expect((await fetchRows({ what: 'organization', organizationId: id(1) })).head).toBeNull();
    expect((await fetchRows({ what: 'batches', after: 0 })).batches.map(({ number }) => number)).toEqual([1]);
  });
});

describe('fetches', () => {
  test('an organization that is not there has no head and no pages', async () => {
    const none = { what: 'organization', head: null, counters: null, pages: [] };
    expect(await fetchRows({ what: 'organization', organizationId: id(1) })).toEqual(none);
  });

  test('organizations and keys that are asked for at once are loaded by one query each', async () => {
    const ids = [id(1), id(2), id(3)];
    await write({
      heads: ids.map((one) => headOf(one)),
      keys: ids.map((one) => ({ organizationId: one, keyId: one, sealed: one })),
    });
    const queries: string[] = [];
    const counting = new Proxy(pool, {
      get: (target, name) =>
        name === 'query'
          ? (config: { name: string }) => {
              queries.push(config.name);
              return target.query(config as never);
            }
          : Reflect.get(target, name),
    });
    const fetch = createFetcher(counting);
    const [organizations, keys] = await Promise.all([
      Promise.all([...ids, id(1)].map((organizationId) => fetch({ what: 'organization', organizationId }))),
      Promise.all(ids.map((one) => fetch({ what: 'keys', organizationId: one, keyIds: [one] }))),
    ]);
    expect(queries).toEqual(['organizations', 'keys']);
    const { rows } = await client.query('select organization_id, head from heads order by 1');
    expect(organizations.map((rows) => (rows.what === 'organization' ? rows.head : null))).toEqual(
      [...rows, rows[0]].map(({ head }) => head),
    );
    expect(keys.map((rows) => (rows.what === 'keys' ? rows.keys[0]?.keyId : null))).toEqual(ids);
  });

  test('heads and look-ups come in key order, page by page', async () => {
    const bytes = [0x80, 3, 0xff, 1, 2];
    const rows = new Map(bytes.map((byte) => [byte, headOf(id(byte))]));
    await write({
      heads: [...rows.values()],
      lookups: bytes.map((byte) => ({ key: Buffer.alloc(32, byte), value: Buffer.alloc(32, 5) })),
    });
    const heads = async (after: Buffer | null, through: Buffer, limit: number) =>
      (await fetchRows({ what: 'heads', after, through, limit })).heads.map(({ organizationId }) => organizationId[0]);
    expect(await heads(null, id(0xff), 10)).toEqual([1, 2, 3, 0x80, 0xff]);
    expect(await heads(null, id(0xff), 2)).toEqual([1, 2]);
    expect(await heads(id(2), id(0x80), 10)).toEqual([3, 0x80]);
    const entriesOf = async (what: 'headDigests' | 'lookups', after: Buffer | null, through: Buffer, limit: number) => {
      const { entries } = await fetchRows({ what, after, through, limit });
      return Array.from({ length: entries.length / 64 }, (_, at) => entries.subarray(at * 64, at * 64 + 64));
    };
    const lookups = async (after: Buffer | null, through: Buffer, limit: number) =>
      (await entriesOf('lookups', after, through, limit)).map((entry) => entry[0]);
    expect(await lookups(null, Buffer.alloc(32, 0xff), 3)).toEqual([1, 2, 3]);
    expect(await lookups(Buffer.alloc(32, 3), Buffer.alloc(32, 0x80), 3)).toEqual([0x80]);
    expect(await lookups(Buffer.alloc(32, 0xff), Buffer.alloc(32, 0xff), 3)).toEqual([]);
    const digest = (byte: number) => sha256(rows.get(byte)?.head as Uint8Array);
    expect(await entriesOf('headDigests', id(2), id(0x80), 10)).toEqual(
      [3, 0x80].map((byte) => Buffer.concat([id(byte), Buffer.alloc(16), digest(byte)])),
    );
    expect(await entriesOf('headDigests', null, id(0xff), 2)).toHaveLength(2);
    expect(await entriesOf('headDigests', id(0xff), id(0xff), 2)).toEqual([]);
  });

  test('batches come in order, 16 at a time, and the last one alone', async () => {
    for (let at = 0; at < 20; at++) await write({ entries: Buffer.alloc(64, at), firstLeaf: at * 2 });
    const { batches } = await fetchRows({ what: 'batches', after: 2 });
    expect(batches.map(({ number }) => number)).toEqual(Array.from({ length: 16 }, (_, at) => at + 3));
    expect(batches[0]).toEqual({
      number: 3,
      record: Buffer.from('record 3'),
      entries: Buffer.alloc(64, 2),
      firstLeaf: 4,
    });
    expect((await fetchRows({ what: 'lastBatch' })).batches.map(({ number }) => number)).toEqual([20]);
  });

  test('sub-organizations by parent and by hint, in pages either way', async () => {
    const parentId = id(0xaa);
    await write({
      heads: [...[1, 2, 3, 4, 5].map((byte) => headOf(id(byte), parentId)), headOf(id(6), id(0xbb)), headOf(parentId)],
      hints: [2, 4, 6].map((byte) => ({ hint: id(7), organizationId: id(byte) })),
    });
    const page = { what: 'subOrganizations', parentId, hint: null, limit: 10, before: null, after: null } as const;
    const list = async (change: Partial<Extract<Fetch, { what: 'subOrganizations' }>>) =>
      (await fetchRows({ ...page, ...change })).organizationIds.map((one) => one[0]);
    expect(await list({})).toEqual([1, 2, 3, 4, 5]);
    expect(await list({ limit: 2, after: id(2) })).toEqual([3, 4]);
    expect(await list({ limit: 2, before: id(5) })).toEqual([3, 4]);
    expect(await list({ after: id(1), before: id(4) })).toEqual([2, 3]);
    expect(await list({ hint: id(7), after: id(2) })).toEqual([4, 6]);
  });

  test('activities are listed newest first, filtered and in pages either way, and end with the log that is asked about', async () => {
    const organizationId = id(1);
    const activities = [0, 1, 2, 3, 4, 5].map((at) =>
      activityOf(organizationId, {
        ...{ id: id(0x10 + at), leafIndex: at, minute: 100 + Math.floor(at / 4), position: at % 4 },
        typeHint: Buffer.alloc(8, at % 2),
      }),
    );
    await write({
      entries: Buffer.from(toEntryBundle(Array.from({ length: 6 }, () => randomBytes(32)))),
      activities: [...activities, activityOf(id(2), { leafIndex: 1 })],
    });
    type ListFetch = Extract<Fetch, { what: 'activityList' }>;
    const page: ListFetch = {
      ...{ what: 'activityList', organizationId, treeSize: 6, limit: 10, before: null, after: null },
      ...{ typeHints: [], statusHints: [] },
    };
    const list = async (change: Partial<ListFetch>) =>
      (await fetchRows({ ...page, ...change })).activities.map(({ leafIndex }) => leafIndex);
    expect(await list({})).toEqual([5, 4, 3, 2, 1, 0]);
    expect(await list({ treeSize: 5 })).toEqual([4, 3, 2, 1, 0]);
    expect(await list({ limit: 2, after: id(0x14) })).toEqual([3, 2]);
    expect(await list({ limit: 2, before: id(0x11) })).toEqual([3, 2]);
    expect(await list({ after: id(0x15), before: id(0x12) })).toEqual([4, 3]);
    expect(await list({ typeHints: [Buffer.alloc(8, 1)] })).toEqual([5, 3, 1]);
    expect(await list({ statusHints: [Buffer.alloc(8, 9)] })).toEqual([]);
    expect(await list({ after: id(0x99) })).toEqual([]);
    const ids = [id(0x11), id(0x15)];
    const { activities: found } = await fetchRows({ what: 'activities', organizationId, ids, treeSize: 5 });
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ id: id(0x11), leafIndex: 1, sealed: activities[1]?.sealed });
    expect(found[0]?.path).toHaveLength(3 * 32);
  });

  test('a broken question fails and leaves the others alone', async () => {
    await write({ heads: [headOf(id(1))] });
    const fetch = createFetcher(pool);
    await expect(fetch({ what: 'fingerprints', organizationId: Buffer.alloc(3), minute: 1 })).rejects.toThrow();
    expect(await fetch({ what: 'organization', organizationId: id(1) })).toMatchObject({ pages: [] });
  });
});

test('plans stay with the indexes, also where a table looked empty when they were made', async () => {
  const { rows } = await client.query(
    "select name, setting from pg_settings where name in ('enable_seqscan', 'synchronous_commit') order by 1",
  );
  expect(rows).toEqual([
    { name: 'enable_seqscan', setting: 'off' },
    { name: 'synchronous_commit', setting: 'on' },
  ]);
  const plan = await client.query<{ 'QUERY PLAN': string }>(
    'explain select * from activities where minute = 1 and organization_id = gen_random_uuid()',
  );
  expect(plan.rows.map((row) => row['QUERY PLAN']).join('\n')).toContain('Index');
});
