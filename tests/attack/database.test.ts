/**
 * The database as the attacker of DESIGN §1: whoever holds `databaseUrl` reads, writes and restores every row of a real
 * PostgreSQL, while the service runs and across its restarts. They gain nothing; at worst they are refused, and served
 * again as soon as the rows are right.
 */
import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { prepareTables, type Tables } from '../../src/api/storage/tables.ts';
import { freePort } from '../../src/cli/port.ts';
import { startEnclave } from '../support/enclave-process.ts';
import { startPostgres, type TestPostgres } from '../support/postgres.ts';
import { openPostgresStorage } from '../support/postgres-storage.ts';
import { addUser, createResident, type Resident, sign, signing } from '../support/resident.ts';
import { type Service, startService } from '../support/service.ts';
import {
  activityBody,
  type Caller,
  overHttp,
  query,
  reasonOf,
  resultOf,
  rootCaller,
  submit,
  type Wire,
  type WireAnswer,
} from '../support/wire.ts';

let postgres: TestPostgres;
let databaseUrl: string;
let db: pg.Client;
let service: Service;
let dataDir: string;
let parent: Caller;
let alice: Resident;
let mallory: Resident;
/** Activities of alice's that she may send again, by the bodies that she stamped. */
let repeatable: Parameters<Wire>[0][];
/** The fingerprint of a request to alice's organization that no policy allowed. */
let denied: string;

const ofOrganizations = ['heads', 'pages', 'keys', 'activities', 'denials'];
const tables = [...ofOrganizations, 'lookups', 'hints', 'log_tiles', 'batches', 'lease'];
const environment = () => ({ DATABASE_URL: databaseUrl, COUNTERSIGN_LOG_LEVEL: 'error' });
const run = (sql: string, values: unknown[] = []) => db.query(sql, values);

beforeAll(async () => {
  postgres = await startPostgres();
  const admin = new pg.Client({ connectionString: postgres.url });
  await admin.connect();
  await admin.query('create role countersign login');
  await admin.query('create database countersign owner countersign');
  await admin.end();
  databaseUrl = postgres.url.replace('postgres@', 'countersign@').replace('/postgres?', '/countersign?');
  dataDir = mkdtempSync(join(tmpdir(), 'countersign-database-'));
  service = await startService({ env: environment(), dataDir });
  db = new pg.Client({ connectionString: service.root.databaseUrl });
  await db.connect();
  parent = rootCaller(service.root);
  const wire = overHttp(service.baseUrl);
  alice = await createResident(wire, parent, 'Alice');
  mallory = await createResident(wire, parent, 'Mallory');
  const employee = await addUser(wire, alice.byPasskey, 'employee');
  await keep('early');
  const forbidden = activityBody(
    alice.organizationId,
    'ACTIVITY_TYPE_SIGN_RAW_PAYLOAD_V2',
    signing(alice.addresses[0]),
  );
  const denial = {
    kind: 'submit',
    name: 'sign_raw_payload',
    body: forbidden,
    stamp: employee.stamp(forbidden),
  } as const;
  expect((await wire(denial)).status).toBe(403);
  denied = `sha256:${createHash('sha256').update(forbidden).digest('hex')}`;
  // Since then a stolen API key was deleted, and this and that was done.
  const { body } = await query(wire, alice.byPasskey, 'get_api_keys', { userId: alice.userId });
  const [stolen] = body.apiKeys as [{ apiKeyId: string }];
  const parameters = { userId: alice.userId, apiKeyIds: [stolen.apiKeyId] };
  resultOf(await submit(wire, alice.byPasskey, 'delete_api_keys', 'DELETE_API_KEYS', parameters));
  repeatable = alice.addresses.map((address) => {
    const body = activityBody(alice.organizationId, 'ACTIVITY_TYPE_SIGN_RAW_PAYLOAD_V2', signing(address));
    return { kind: 'submit', name: 'sign_raw_payload', body, stamp: alice.byPasskey.stamp(body) };
  });
  for (const request of repeatable) resultOf(await wire(request));
}, 240_000);

afterAll(async () => {
  await service?.kill();
  await db?.end();
  await postgres?.remove();
  if (dataDir) rmSync(dataDir, { recursive: true, force: true });
});

/** Keeps a copy of all tables under a name. */
async function keep(name: string): Promise<void> {
  const copies = tables.map((table) => `create table ${name}.${table} as table public.${table}`);
  await run(`drop schema if exists ${name} cascade; create schema ${name}; ${copies.join('; ')}`);
}

/** Makes tables what they were; of the batches, which the service adds to when it starts, only those that were. */
async function putBack(name: string, which = tables): Promise<void> {
  const restored = which.map((table) =>
    table === 'batches'
      ? `delete from public.batches where number > 1000000 or number in (select number from ${name}.batches);
         insert into public.batches select * from ${name}.batches`
      : `delete from public.${table}; insert into public.${table} select * from ${name}.${table}`,
  );
  await run(`begin; ${restored.join('; ')}; commit`);
}

/** Makes tables exactly what they were, as a restored backup is. */
async function restore(name: string, which = tables): Promise<void> {
  await run(
    `begin; ${which.map((table) => `truncate public.${table}; insert into public.${table} select * from ${name}.${table}`).join('; ')}; commit`,
  );
}

/** Each start proves the same activity by a signature of its own. */
function withoutReceipt({ status, body: { receipt: _, ...body } }: WireAnswer): WireAnswer {
  return { status, body };
}

type Survey = Record<'alice' | 'mallory' | 'parent', WireAnswer[]>;

/** What everybody reads, and repeats; nothing of it changes anything. */
async function survey(wire: Wire): Promise<Survey> {
  const ofAlice = [
    query(wire, alice.byPasskey, 'get_organization'),
    query(wire, alice.byPasskey, 'list_wallets'),
    query(wire, alice.byPasskey, 'list_activities', { paginationOptions: { limit: '100' } }),
    query(wire, { ...alice.byPasskey, organizationId: parent.organizationId }, 'whoami'),
    query(wire, alice.byPasskey, 'explain_activity', { fingerprint: denied }),
    ...repeatable.map(async (request) => withoutReceipt(await wire(request))),
  ];
  const ofMallory = [
    query(wire, mallory.byApiKey, 'get_organization'),
    query(wire, mallory.byPasskey, 'list_activities', { filterByType: ['ACTIVITY_TYPE_CREATE_PRIVATE_KEYS_V2'] }),
  ];
  const filter = { filterType: 'EMAIL', filterValue: 'alice@example.com' };
  const ofParent = [query(wire, parent, 'list_suborgs'), query(wire, parent, 'list_suborgs', filter)];
  return {
    alice: await Promise.all(ofAlice),
    mallory: await Promise.all(ofMallory),
    parent: await Promise.all(ofParent),
  };
}

/** What the database may leave out and no more: entries of lists, and an activity or a denial altogether (docs/threat-model.md). */
function isShorter(answer: WireAnswer, right: WireAnswer): boolean {
  if (answer.status === 404) return 'explanation' in right.body;
  const list = ({ body }: WireAnswer) => Object.values(body).find(Array.isArray) as unknown[] | undefined;
  const [shown, all] = [list(answer), list(right)];
  const whole = all?.map((entry) => JSON.stringify(entry));
  return (whole && shown?.every((entry) => whole.includes(JSON.stringify(entry)))) === true;
}

/** Each answer is right, or a refusal with a reason; lists of hints may be short. */
function expectRightOrRefused(found: Survey, right: Survey, context: string): void {
  for (const who of ['alice', 'mallory', 'parent'] as const) {
    for (const [index, answer] of found[who].entries()) {
      if (answer.status === 503)
        expect(reasonOf(answer), context).toMatch(/^(ROW_INTEGRITY|STATE_REFUSED|DATABASE_UNAVAILABLE|STARTING)$/);
      else if (!isShorter(answer, right[who][index] as WireAnswer)) {
        expect(answer, `${context}: ${who}, reading ${index}`).toEqual(right[who][index]);
      }
    }
  }
}

/** Mallory, and whoever stole the key that alice deleted, come to nothing in alice's organization. */
async function expectNoPower(wire: Wire, context: string): Promise<void> {
  const asAlice = (caller: Caller): Caller => ({ ...caller, organizationId: alice.organizationId });
  const attempts = [
    sign(wire, asAlice(mallory.byPasskey), alice.addresses[0]),
    sign(wire, asAlice(mallory.byApiKey), alice.addresses[1]),
    sign(wire, alice.byApiKey, alice.addresses[0]),
    sign(wire, asAlice(parent), alice.addresses[0]),
    sign(wire, mallory.byPasskey, alice.addresses[0]),
    query(wire, asAlice(mallory.byApiKey), 'list_wallets'),
    query(wire, alice.byApiKey, 'whoami'),
  ];
  for (const { status, body } of await Promise.all(attempts)) {
    expect([400, 401, 404, 503], `${context}: ${JSON.stringify(body)}`).toContain(status);
  }
}

/** A change of every value of a column that leaves rows distinct. */
function corruption(column: string, type: string): string {
  const flipped = (bytes: string, at: string) => `set_byte(${bytes}, ${at}, get_byte(${bytes}, ${at}) # 1)`;
  if (type === 'bytea') return `case when length(${column}) > 0 then ${flipped(column, `length(${column}) / 2`)} end`;
  if (type === 'uuid') {
    return `encode(${flipped(`decode(replace(${column}::text, '-', ''), 'hex')`, '15')}, 'hex')::uuid`;
  }
  return type === 'text' ? `${column} || 'x'` : `${column} + 1000000`;
}

async function columns(): Promise<{ table: string; column: string; type: string }[]> {
  const { rows } = await run(
    `select table_name as table, quote_ident(column_name) as column, data_type as type from information_schema.columns
     where table_schema = 'public' and table_name not like 'kysely%' order by 1, ordinal_position`,
  );
  return rows;
}

describe('the service', () => {
  let wire: Wire;
  let right: Survey;

  beforeAll(async () => {
    wire = overHttp(service.baseUrl);
    right = await survey(wire);
    for (const { status } of Object.values(right).flat()) expect(status).toBe(200);
    expect(reasonOf(await sign(wire, alice.byApiKey, alice.addresses[0]))).toBe('PUBLIC_KEY_NOT_FOUND');
    await keep('kept');
  });

  test('running, with any column of any table altered in every row', async () => {
    const all = await columns();
    expect(new Set(all.map(({ table }) => table))).toEqual(new Set(tables));
    for (const { table, column, type } of all) {
      await run(`update ${table} set ${column} = ${corruption(column, type)}`);
      expectRightOrRefused(await survey(wire), right, `${table}.${column}`);
      await expectNoPower(wire, `${table}.${column}`);
      await putBack('kept', [table]);
    }
    expect(await survey(wire)).toEqual(right);
    expect((await sign(wire, mallory.byPasskey, mallory.addresses[0])).status).toBe(200);
    right = await survey(wire);
    await keep('kept');
  });

  test('running, with the whole database, or any part of it, as it was earlier', async () => {
    for (const which of [tables, ['heads'], ['lookups'], ['pages', 'keys'], ['activities'], ['batches']]) {
      await restore('early', which);
      expectRightOrRefused(await survey(wire), right, which.join());
      await expectNoPower(wire, which.join());
      await restore('kept');
    }
    expect(await survey(wire)).toEqual(right);
    expect((await sign(wire, alice.byPasskey, alice.addresses[0])).status).toBe(200);
    right = await survey(wire);
    await keep('kept');
  });

  test('with a row that no frame has room for: its organization is refused, the others are not, and nothing has to be restarted', async () => {
    await run(
      `update pages set sealed = sealed || repeat('x', 67200000)::bytea where organization_id = $1 and kind = 'users'`,
      [alice.organizationId],
    );
    await restart();
    wire = overHttp(service.baseUrl);
    const refused = await query(wire, alice.byPasskey, 'whoami');
    expect([refused.status, (await query(wire, mallory.byPasskey, 'whoami')).status]).toEqual([503, 200]);
    expect(service.output()).not.toContain('starting again');
    await putBack('kept', ['pages']);
    expect(await survey(wire)).toEqual(right);
  });

  test('restarted on a database of earlier: says what to do, answers nothing, and serves when the rows are back', async () => {
    await service.kill();
    await keep('kept');
    await restore('early');
    const starting = restart();
    const health = await refusedHealth();
    expect(health.enclave.phase).toBe('refusing');
    expect(health.enclave.reason).toMatch(
      /restored to an earlier state.*run: countersign accept-state --root [0-9a-f]{64}$/,
    );
    wire = overHttp(`http://localhost:${port}`);
    for (const answer of Object.values(await survey(wire)).flat()) {
      expect([answer.status, reasonOf(answer)]).toEqual([503, 'STATE_REFUSED']);
    }
    await expectNoPower(wire, 'restored');
    await restore('kept');
    await starting;
    expect(await survey(wire)).toEqual(right);
    expect((await sign(wire, alice.byPasskey, alice.addresses[1])).status).toBe(200);
    expect((await fetch(`${service.baseUrl}/health`)).status).toBe(200);
  });

  test('restarted with rows of migrations that stand there twice: nothing changes', async () => {
    right = await survey(wire);
    await run('alter table kysely_migration drop constraint kysely_migration_pkey');
    await run('insert into kysely_migration select * from kysely_migration');
    await restart();
    wire = overHttp(service.baseUrl);
    expect(await survey(wire)).toEqual(right);
    await run(`delete from kysely_migration where ctid = '(0,1)'; alter table kysely_migration add primary key (name)`);
  });

  const rowsOfMigrations: [string, string, RegExp][] = [
    [
      'renamed',
      `update kysely_migration set name = name || 'x'`,
      /rows of kysely_migration are not those.*0001-ledger/,
    ],
    ['added', `insert into kysely_migration values ('9999-later', now())`, /put the rows back, or run the version/],
    [
      'deleted',
      'delete from kysely_migration',
      /migration 0001-ledger are there but kysely_migration does not name it/,
    ],
    ['gone with their table', 'drop table kysely_migration', /put its row back: insert into kysely_migration/],
    ['in another schema', 'alter table kysely_migration set schema early', /the table kysely_migration is missing/],
    ['without a column', 'alter table kysely_migration drop column name', /a column is missing/],
  ];

  /** Has the rows of migrations altered while `look` looks. */
  async function withRowsOfMigrations(sql: string, look: () => Promise<void>): Promise<void> {
    await run('create table kept.migrations (like kysely_migration including all)');
    await run('insert into kept.migrations select * from kysely_migration');
    await run(sql);
    await look();
    await run(
      'drop table if exists kysely_migration, early.kysely_migration; alter table kept.migrations rename to kysely_migration; alter table kept.kysely_migration set schema public',
    );
  }

  test.each(rowsOfMigrations)(
    'with rows of migrations %s: the tables are not used, for a reason that says what to do, until they are back',
    async (_, sql, reason) => {
      let tables: Tables | undefined;
      await withRowsOfMigrations(sql, async () => {
        const reasons: string[] = [];
        tables = prepareTables(databaseUrl, (why) => reasons.push(why));
        await expect(tables.ready()).rejects.toThrow();
        await vi.waitFor(() => expect(reasons).toHaveLength(1));
        expect(reasons[0]).toMatch(reason);
        expect(tables.trouble()).toBe(reasons[0]);
      });
      await vi.waitFor(() => expect(tables?.trouble()).toBeNull(), 30_000);
    },
  );

  test.each(rowsOfMigrations.slice(-1))(
    'restarted with rows of migrations %s: stays up and says what to do, and serves when they are back',
    async (_, sql, reason) => {
      await service.kill();
      let starting: Promise<void> | undefined;
      await withRowsOfMigrations(sql, async () => {
        starting = restart();
        const health = await refusedHealth();
        expect(health.database).toEqual({ ok: false, reason: expect.stringMatching(reason) });
        wire = overHttp(`http://localhost:${port}`);
        for (const answer of Object.values(await survey(wire)).flat()) {
          expect([answer.status, reasonOf(answer)]).toEqual([503, 'STATE_REFUSED']);
        }
        // Longer than a process that ends at once would be started again.
        await sleep(1500);
        expect((await fetch(`http://localhost:${port}/health`)).status).toBe(503);
      });
      await starting;
      expect(service.output()).not.toContain('starting again');
      expect(await survey(wire)).toEqual(right);
      expect((await sign(wire, alice.byPasskey, alice.addresses[1])).status).toBe(200);
      right = await survey(wire);
      await keep('kept');
    },
  );

  test('next to a second enclave on the same database, which waits, and without the lease one of them stops, with a reason', async () => {
    const first = service;
    const copy = mkdtempSync(join(tmpdir(), 'countersign-copy-'));
    for (const part of ['enclave', 'root.json']) {
      cpSync(join(dataDir, part), join(copy, part), { recursive: true, preserveTimestamps: true });
    }
    port = await freePort();
    const starting = startService({ env: environment(), dataDir: copy, port });
    expect((await refusedHealth()).enclave.reason).toMatch(
      /^the enclave with boot id [0-9a-f]{64} writes to this database/,
    );
    // The lease keeps mistakes off, not whoever owns the database: then the numbers of the batches count.
    const deleting = setInterval(() => void run('delete from lease'), 50);
    const second = await starting.finally(() => clearInterval(deleting));
    const [here, there] = [overHttp(first.baseUrl), overHttp(second.baseUrl)];
    const body = activityBody(alice.organizationId, 'ACTIVITY_TYPE_SIGN_RAW_PAYLOAD_V2', signing(alice.addresses[0]));
    const request = { kind: 'submit', name: 'sign_raw_payload', body, stamp: alice.byPasskey.stamp(body) } as const;
    const answers = await Promise.all([here(request), there(request)]);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.map(reasonOf)).toContain('LEDGER_HALTED');
    const health = (await (await fetch(`${first.baseUrl}/health`)).json()) as Health;
    expect(health.enclave).toMatchObject({ phase: 'halted' });
    expect(health.enclave.reason).toContain('another enclave writes there');
    // The one that stopped is behind: it does not come back on what the other wrote.
    for (let more = 0; more < 3; more++) resultOf(await sign(there, alice.byPasskey, alice.addresses[0]));
    await first.kill();
    port = await freePort();
    const again = startService({ env: environment(), dataDir, port });
    const refused = await refusedHealth();
    expect(refused.enclave.reason).toMatch(/batch|batches/);
    again.catch(() => {});
    await second.kill();
    rmSync(join(dataDir, 'enclave'), { recursive: true });
    cpSync(join(copy, 'enclave'), join(dataDir, 'enclave'), { recursive: true });
    rmSync(copy, { recursive: true });
  });

  let port: number;
  type Health = { enclave: { phase: string; reason: string }; database: { ok: boolean; reason: string | null } };

  /** Kills the service, if it runs, and starts it on the same data. */
  async function restart(): Promise<void> {
    await service.kill();
    port = await freePort();
    service = await startService({ env: environment(), dataDir, port });
  }

  async function refusedHealth(): Promise<Health> {
    for (;;) {
      const response = await fetch(`http://localhost:${port}/health`).catch(() => undefined);
      const health = (await response?.json().catch(() => undefined)) as Health | undefined;
      if (health?.enclave?.phase === 'refusing' && response?.status === 503) return health;
      await sleep(50);
    }
  }
});

describe('an enclave that starts on', () => {
  const opened = openPostgresStorageLater();
  let folder: string;
  let right: Survey;

  beforeAll(async () => {
    folder = join(dataDir, 'enclave');
    // A log of more than one tile.
    const enclave = await served();
    const many = Array.from({ length: 260 }, () => sign(enclave.wire, mallory.byPasskey, mallory.addresses[0]));
    for (const { status } of await Promise.all(many)) expect(status).toBe(200);
    right = await survey(enclave.wire);
    for (const { status } of Object.values(right).flat()) expect(status).toBe(200);
    enclave.stop();
    await keep('kept');
  });
  afterAll(() => opened.close());

  function openPostgresStorageLater() {
    let storage: ReturnType<typeof openPostgresStorage> | undefined;
    return {
      get: () => {
        storage ??= openPostgresStorage(databaseUrl);
        return storage;
      },
      close: () => storage?.close(),
    };
  }

  const start = () => startEnclave(folder, opened.get());

  async function served() {
    const enclave = start();
    await enclave.serving();
    return enclave;
  }

  /** Starts on altered rows, looks, puts the rows back and looks again, without another start. */
  async function attack(
    context: string,
    alter: () => Promise<unknown>,
    { altered = tables, look }: { altered?: string[]; look?: (wire: Wire) => Promise<void> } = {},
  ) {
    // Each start adds a batch.
    await run('truncate kept.batches; insert into kept.batches select * from batches');
    await alter();
    const enclave = start();
    await Promise.race([enclave.serving(), enclave.refusal().catch(() => {})]);
    let found: Survey;
    try {
      found = await survey(enclave.wire);
      expectRightOrRefused(found, right, context);
      await expectNoPower(enclave.wire, context);
      await look?.(enclave.wire);
    } finally {
      await putBack('kept', altered);
    }
    await enclave.serving();
    expect(await survey(enclave.wire), `${context}, put back`).toEqual(right);
    enclave.stop();
    return found;
  }

  const ids = () => ({ a: alice.organizationId, m: mallory.organizationId });
  /** SQL with the ids of alice's and mallory's organizations in the places of :a and :m. */
  const sql = (text: string) => run(text.replaceAll(':a', `'${ids().a}'`).replaceAll(':m', `'${ids().m}'`));

  test('one altered value of one row, any of any table', async () => {
    for (const { table, column, type } of await columns()) {
      const which = {
        batches: 'number >= (select max(number) - 1 from batches)',
        log_tiles: 'true',
        lease: 'true',
        lookups: "encode(key, 'hex') like '%' || replace(:a, '-', '')",
      }[table];
      // Of the activities those that are read below: the newest.
      const few = table === 'activities' ? ' order by leaf_index desc limit 3' : '';
      const { rows } = await sql(
        `select ctid::text as row from ${table} where ${which ?? 'organization_id = :a'}${few}`,
      );
      expect(rows.length, table).toBeGreaterThan(0);
      for (const { row } of rows as { row: string }[]) {
        const statement = `update ${table} set ${column} = ${corruption(column, type)} where ctid = '${row}'`;
        await attack(`${table}.${column} ${row}`, () => run(statement), { altered: [table] });
      }
    }
  }, 240_000);

  const parts: Record<string, string> = {
    'heads swapped': `update heads h set head = o.head, counters = o.counters from heads o
      where (h.organization_id, o.organization_id) in ((:a, :m), (:m, :a))`,
    'counters swapped': `update heads h set counters = o.counters from heads o
      where (h.organization_id, o.organization_id) in ((:a, :m), (:m, :a))`,
    'pages swapped between organizations': `update pages p set sealed = o.sealed from pages o
      where (p.organization_id, o.organization_id) in ((:a, :m), (:m, :a)) and p.kind = o.kind and p.index = o.index`,
    'pages swapped within an organization': `update pages p set sealed = o.sealed from pages o
      where p.organization_id = :a and o.organization_id = :a
      and (p.kind, o.kind) in (('users', 'wallets'), ('wallets', 'users'), ('accounts', 'privateKeys'), ('privateKeys', 'accounts'))`,
    'users with the public keys of another organization': `update pages p set sealed = o.sealed from pages o
      where p.organization_id = :a and o.organization_id = :m and p.kind = 'users' and o.kind = 'users'`,
    'an organization made of the rows of another': `delete from pages where organization_id = :a;
      insert into pages select :a, kind, index, version, sealed from pages where organization_id = :m;
      update heads h set head = o.head, counters = o.counters from heads o where h.organization_id = :a and o.organization_id = :m`,
    'a page too many': `insert into pages select organization_id, kind, index + 1, version, sealed from pages
      where organization_id = :a and kind = 'users'`,
    'a page under another name': `update pages set kind = 'policies' where organization_id = :a and kind = 'users'`,
    'no head': 'delete from heads where organization_id = :a',
    'no pages': 'delete from pages where organization_id = :a',
    'no users': "delete from pages where organization_id = :a and kind = 'users'",
    'no activities': 'delete from activities where organization_id = :a',
    'no look-ups': 'delete from lookups',
    'no hints': 'delete from hints',
    'no log': 'delete from log_tiles',
    'no batches': 'delete from batches',
    'not the last batch': 'delete from batches where number = (select max(number) from batches)',
    "another parent's": `update heads set parent_id = '${crypto.randomUUID()}' where organization_id = :a`,
    'without a parent': 'update heads set parent_id = null where organization_id = :a',
    'a look-up that leads elsewhere': `insert into lookups
      select overlay(key placing decode(replace(:a, '-', ''), 'hex') from 17), value from lookups
      where encode(key, 'hex') like '%' || replace(:m, '-', '')`,
    'another key behind a look-up': `update lookups l set value = o.value from lookups o
      where encode(l.key, 'hex') like '%' || replace(:a, '-', '') and encode(o.key, 'hex') like '%' || replace(:m, '-', '')`,
    'heads that nobody made': `insert into heads select gen_random_uuid(), parent_id, head, counters from heads`,
    'activities twice': `insert into activities select organization_id, gen_random_uuid(), leaf_index, minute, position, fingerprint,
      type_hint, status_hint, sealed from activities where organization_id = :a`,
    "another organization's activities": `insert into activities select :a, id, leaf_index, minute, position, fingerprint,
      type_hint, status_hint, sealed from activities where organization_id = :m`,
    'fingerprints of another hour': `update activities set minute = minute - 90 where organization_id = :a`,
    'fingerprints in another order': `update activities set position = 1000 - position where organization_id = :a`,
    'fingerprints of another body': `update activities set fingerprint = sha256(fingerprint) where organization_id = :a`,
    'nulls in pages': `alter table pages alter sealed drop not null; update pages set sealed = null where organization_id = :a`,
    'nulls in heads': `alter table heads alter head drop not null; update heads set head = null where organization_id = :a`,
    'nulls in activities': `alter table activities alter sealed drop not null; update activities set sealed = null where organization_id = :a`,
  };

  test.each(Object.keys(parts))('%s', async (name) => {
    const found = await attack(name, () => sql(parts[name] as string), {
      look: async (wire) => {
        if (!name.startsWith('fingerprints')) return;
        const repeats = await Promise.all(repeatable.map(wire));
        for (const repeat of repeats) expect([repeat.status, reasonOf(repeat)]).toEqual([503, 'ROW_INTEGRITY']);
      },
    });
    // What is wrong with alice's organization is no reason to refuse another.
    const own =
      /^(pages swapped within|users|an organization|a page|no users|nulls in (pages|activities)|activities twice|fingerprints)/;
    if (own.test(name)) expect(found.mallory).toEqual(right.mallory);
  });

  test('keys that are swapped, gone or of another organization: no signature, and by the right key when they are back', async () => {
    const wrong = {
      swapped: `update keys k set sealed = o.sealed from keys o where k.organization_id = :a and o.organization_id = :a
        and k.key_id <> o.key_id and (k.ctid, o.ctid) in (select x.ctid, y.ctid from
        (select ctid, row_number() over (order by key_id) as n from keys where organization_id = :a) x join
        (select ctid, row_number() over (order by key_id desc) as n from keys where organization_id = :a) y on x.n = y.n)`,
      gone: 'delete from keys where organization_id = :a',
      foreign: `delete from keys where organization_id = :a;
        insert into keys select :a, key_id, sealed from keys where organization_id = :m`,
      renamed: `create temp table mine as select *, row_number() over (order by key_id) as n from keys where organization_id = :a;
        update keys k set sealed = o.sealed from mine i join (select *, row_number() over (order by key_id) as n
        from keys where organization_id = :m) o on o.n = i.n where k.key_id = i.key_id; drop table mine`,
      null: 'alter table keys alter sealed drop not null; update keys set sealed = null where organization_id = :a',
    };
    const enclave = await served();
    for (const [name, statement] of Object.entries(wrong)) {
      await sql(statement);
      for (const address of [alice.addresses[0], alice.addresses[1], alice.privateKeyId]) {
        const refused = await submit(
          enclave.wire,
          alice.byPasskey,
          'sign_raw_payload',
          'SIGN_RAW_PAYLOAD_V2',
          signing(address),
        );
        expect([refused.status, reasonOf(refused)], name).toEqual([503, 'ROW_INTEGRITY']);
      }
      expect((await sign(enclave.wire, mallory.byPasskey, mallory.addresses[0])).status).toBe(200);
      await putBack('kept', ['keys']);
    }
    for (const address of alice.addresses)
      expect((await sign(enclave.wire, alice.byPasskey, address)).status).toBe(200);
    right = await survey(enclave.wire);
    enclave.stop();
    await keep('kept');
  });

  const earlier: Record<string, string[]> = {
    'only the heads': ['heads'],
    'only the look-ups': ['lookups'],
    'only the pages': ['pages'],
    'only the keys': ['keys'],
    'only the activities': ['activities'],
    'heads, pages, keys and look-ups': ['heads', 'pages', 'keys', 'lookups'],
    'everything but the batches': tables.filter((table) => table !== 'batches'),
  };

  test.each(Object.keys(earlier))("alice's organization, or all of them, as of earlier: %s", async (name) => {
    const which = earlier[name] as string[];
    const ofAlice = (table: string) =>
      table === 'lookups' ? "encode(key, 'hex') like '%' || replace(:a, '-', '')" : 'organization_id = :a';
    await attack(`alice: ${name}`, async () => {
      for (const table of which.filter((each) => ['lookups', 'hints', ...ofOrganizations].includes(each))) {
        await sql(`delete from ${table} where ${ofAlice(table)};
          insert into ${table} select * from early.${table} where ${ofAlice(table)}`);
      }
    });
    await attack(`all: ${name}`, () => restore('early', which));
  });

  test('batches that a trigger swallows: what was answered is missed at the next start', async () => {
    const enclave = await served();
    await run(`create function swallow() returns trigger language plpgsql as
      $$ begin insert into hidden select new.*; return null; end $$;
      create table hidden (like batches);
      create trigger swallow before insert on batches for each row execute function swallow()`);
    expect((await sign(enclave.wire, alice.byPasskey, alice.addresses[0])).status).toBe(200);
    enclave.stop();
    const again = start();
    expect(await again.refusal()).toMatch(/^the database does not hold batch \d+, the newest that was released/);
    await run('drop trigger swallow on batches; insert into batches select * from hidden');
    await again.serving();
    expect((await sign(again.wire, alice.byPasskey, alice.addresses[0])).status).toBe(200);
    right = await survey(again.wire);
    again.stop();
    await run('drop function swallow; drop table hidden');
    await keep('kept');
  });

  describe('with accept-state', () => {
    const accept = (root: string) =>
      writeFileSync(join(folder, 'accept-state.json'), JSON.stringify({ version: 1, root }));
    const rootIn = (reason: string) => /--root ([0-9a-f]{64})/.exec(reason)?.[1] as string;

    test('the wrong root changes nothing, and a word that was not needed is void', async () => {
      await restore('early');
      const enclave = start();
      const root = rootIn(await enclave.refusal());
      accept(root.replace(/^./, (digit) => (digit === '0' ? '1' : '0')));
      await sleep(1200);
      expect(rootIn(await enclave.refusal())).toBe(root);
      accept(root);
      // The right rows are back before the enclave looks again: it takes them, and the word with it.
      await restore('kept');
      await enclave.serving();
      expect(await survey(enclave.wire)).toEqual(right);
      enclave.stop();
      await keep('kept');
      await restore('early');
      const later = start();
      expect(rootIn(await later.refusal())).toBe(root);
      await restore('kept');
      await later.serving();
      later.stop();
    });

    test('heads that the enclave did not make are not accepted', async () => {
      await keep('kept');
      await restore('early');
      await sql(`update heads set head = set_byte(head, 0, get_byte(head, 0) # 1) where organization_id = :a`);
      const enclave = start();
      accept(rootIn(await enclave.refusal()));
      await sleep(1200);
      expect(await enclave.refusal()).toContain('a head was not made by this enclave');
      await restore('kept');
      await enclave.serving();
      enclave.stop();
    });

    test('the right root takes the old state, and refuses every body that was stamped before', async () => {
      await keep('kept');
      await restore('early');
      const enclave = start();
      accept(rootIn(await enclave.refusal()));
      await enclave.serving();
      for (const repeat of await Promise.all(repeatable.map(enclave.wire))) {
        expect([repeat.status, reasonOf(repeat)]).toEqual([400, 'INVALID_TIME']);
      }
      // Its word was for once: the same old state is not taken again.
      enclave.stop();
      await restore('early');
      const again = start();
      expect(await again.refusal()).toContain('accept-state');
      again.stop();
    });
  });

  describe('a folder', () => {
    /** What a start says about a folder that is not whole. */
    async function refusalOf(change: (path: (name: string) => string) => void): Promise<string> {
      const broken = mkdtempSync(join(tmpdir(), 'countersign-broken-'));
      cpSync(folder, broken, { recursive: true });
      change((name) => join(broken, name));
      const enclave = startEnclave(broken, opened.get());
      const refusal = await enclave.opened.then(
        () => 'started',
        (error: Error) => error.message,
      );
      enclave.stop();
      rmSync(broken, { recursive: true });
      return refusal;
    }

    test('without anchor, without sealing, or with those of another enclave, is refused and never a first start', async () => {
      const other = mkdtempSync(join(tmpdir(), 'countersign-other-'));
      const stranger = startEnclave(other, opened.get());
      await stranger.opened;
      stranger.stop();
      expect(await refusalOf((path) => rmSync(path('anchor')))).toContain(
        'restore both from one backup, together with the database',
      );
      expect(await refusalOf((path) => rmSync(path('sealing')))).toContain('restore both from one backup');
      expect(await refusalOf((path) => cpSync(join(other, 'anchor'), path('anchor')))).toContain(
        'neither slot can be read',
      );
      expect(await refusalOf((path) => cpSync(join(other, 'sealing'), path('sealing')))).toContain(
        'neither slot can be read',
      );
      expect(await refusalOf((path) => writeFileSync(path('anchor'), ''))).not.toBe('started');
      expect(await refusalOf((path) => writeFileSync(path('sealing'), 'x'))).toContain('restore it from the backup');
      rmSync(other, { recursive: true });
    });

    test('of another enclave does not take the database over', async () => {
      const other = mkdtempSync(join(tmpdir(), 'countersign-other-'));
      const enclave = startEnclave(other, opened.get());
      expect(await enclave.refusal()).toMatch(/accept-state/);
      enclave.stop();
      rmSync(other, { recursive: true });
    });
  });
});
