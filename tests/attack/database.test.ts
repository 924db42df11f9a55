/**
 * The database as the attacker of DESIGN §1: whoever holds `databaseUrl` reads, writes and restores every row of a real
 * PostgreSQL, while the service runs and across its restarts. They gain nothing; at worst they are refused, and served
 * again as soon as the rows are right.
 */
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { generateApiKey } from '../../src/stamping/make-api-key-stamp.ts';
import { startEnclave } from '../support/enclave-process.ts';
import { startPostgres, type TestPostgres } from '../support/postgres.ts';
import { openPostgresStorage } from '../support/postgres-storage.ts';
import { createResident, type Resident, sign, signing } from '../support/resident.ts';
import { freePort, type Service, startService } from '../support/service.ts';
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

const tables = ['heads', 'pages', 'keys', 'activities', 'lookups', 'hints', 'log_tiles', 'batches'];
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
  await keep('early');
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

type Survey = Record<'alice' | 'mallory' | 'parent', WireAnswer[]>;

/** What everybody reads, and repeats; nothing of it changes anything. */
async function survey(wire: Wire): Promise<Survey> {
  const ofAlice = [
    query(wire, alice.byPasskey, 'get_organization'),
    query(wire, alice.byPasskey, 'list_wallets'),
    query(wire, alice.byPasskey, 'list_activities'),
    query(wire, { ...alice.byPasskey, organizationId: parent.organizationId }, 'whoami'),
    ...repeatable.map(wire),
  ];
  const ofMallory = [
    query(wire, mallory.byApiKey, 'get_organization'),
    query(wire, mallory.byPasskey, 'list_activities'),
  ];
  const filter = { filterType: 'EMAIL', filterValue: 'alice@example.com' };
  const ofParent = [query(wire, parent, 'list_suborgs'), query(wire, parent, 'list_suborgs', filter)];
  return {
    alice: await Promise.all(ofAlice),
    mallory: await Promise.all(ofMallory),
    parent: await Promise.all(ofParent),
  };
}

/** What the database may leave out and no more: entries of lists, and an activity altogether (docs/threat-model.md). */
function isShorter(answer: WireAnswer, right: WireAnswer): boolean {
  const list = ({ body }: WireAnswer) => Object.values(body).find(Array.isArray) as unknown[] | undefined;
  const [shown, all] = [list(answer), list(right)];
  const whole = all?.map((entry) => JSON.stringify(entry));
  return whole !== undefined && shown !== undefined && shown.every((entry) => whole.includes(JSON.stringify(entry)));
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

  test('with a row of seventy megabytes: its organization is refused, the others are not, and nothing has to be restarted', async () => {
    const ofAlice = [alice.organizationId];
    await run('update pages set sealed = sealed || repeat($2, 70000000)::bytea where organization_id = $1', [
      ...ofAlice,
      'x',
    ]);
    await restart();
    wire = overHttp(service.baseUrl);
    const { enclave } = service.pids();
    const refused = await query(wire, alice.byPasskey, 'whoami');
    expect([refused.status, (await query(wire, mallory.byPasskey, 'whoami')).status]).toEqual([503, 200]);
    expect(service.pids().enclave).toBe(enclave);
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

  test('next to a second enclave on the same database: one of them stops, with a reason', async () => {
    const first = service;
    const copy = mkdtempSync(join(tmpdir(), 'countersign-copy-'));
    for (const part of ['enclave', 'root.json']) {
      cpSync(join(dataDir, part), join(copy, part), { recursive: true, preserveTimestamps: true });
    }
    const second = await startService({ env: environment(), dataDir: copy });
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
  type Health = { enclave: { phase: string; reason: string } };

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

export const unused = [generateApiKey, startEnclave, openPostgresStorage, writeFileSync];
