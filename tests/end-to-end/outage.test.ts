/** The database does not answer, is gone, is read-only or its disk is full: 503 with the reason, nothing lost, and back by itself. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RootFile } from '../../src/cli/root-file.ts';
import { startPostgres, type TestPostgres } from '../support/postgres.ts';
import { descendants, freePort, isAlive, type Service, startService } from '../support/service.ts';
import { addDatabase, administer } from './database.ts';
import { healthyAgain, type Launched, launch } from './launch.ts';
import {
  type Answer,
  carryOut,
  createUser,
  listActivities,
  type Prepared,
  payloadOf,
  prepareActivity,
  send,
  signRawPayload,
  type User,
} from './requests.ts';

/** api answers after 10 s at the latest; the rest is for a slow machine. */
const answerMs = 15_000;

const signing = (user: User, text: string) => prepareActivity(user, signRawPayload, payloadOf(user.address, text));

function expectUnavailable({ status, body }: Answer, reason: RegExp): void {
  expect(status, JSON.stringify(body)).toBe(503);
  const details = [{ turnkeyErrorCode: 'DATABASE_UNAVAILABLE' }];
  expect(body).toMatchObject({ code: 14, message: expect.stringMatching(reason), details });
}

/** From healthy through 503s to healthy; then nothing is lost, and what was refused is carried out once. */
async function goThrough(
  { baseUrl, user }: { baseUrl: string; user: User },
  breakIt: () => Promise<void> | void,
  reason: RegExp,
  mendIt: () => Promise<void> | void,
): Promise<void> {
  const known = (await listActivities(baseUrl, user)).map(({ id }) => id);
  known.push((await carryOut(baseUrl, signing(user, 'before'))).id);
  const refused = [signing(user, 'during 1'), signing(user, 'during 2'), signing(user, 'later')];
  await breakIt();
  try {
    const [first, second, later] = refused as [Prepared, Prepared, Prepared];
    const at = performance.now();
    for (const answer of await Promise.all([send(baseUrl, first), send(baseUrl, second)])) {
      expectUnavailable(answer, reason);
    }
    expect(performance.now() - at).toBeLessThan(answerMs);
    expectUnavailable(await send(baseUrl, later), reason);
    expectUnavailable(await send(baseUrl, first), reason);
    const health = await fetch(`${baseUrl}/health`);
    expect(health.status).toBe(503);
    expect(await health.json()).toMatchObject({ database: { ok: false, reason: expect.stringMatching(reason) } });
  } finally {
    await mendIt();
  }
  await healthyAgain(baseUrl);
  for (const request of refused) {
    const { id } = await carryOut(baseUrl, request);
    expect((await carryOut(baseUrl, request)).id).toBe(id);
    known.push(id);
  }
  const listed = (await listActivities(baseUrl, user)).map(({ id }) => id);
  expect([...listed].sort()).toEqual([...known].sort());
}

describe('the embedded database', () => {
  let service: Service;
  let user: User;
  beforeAll(async () => {
    service = await startService();
    user = await createUser(service.baseUrl, service.root);
  }, 60_000);
  afterAll(() => service?.stop(), 30_000);

  const processes = () => {
    const first = service.pids().postgres as number;
    return [first, ...descendants(first)];
  };

  test('stands still', { timeout: 90_000 }, async () => {
    const all = processes();
    const signal = (name: NodeJS.Signals) => {
      for (const pid of all.filter(isAlive)) process.kill(pid, name);
    };
    const { baseUrl } = service;
    const reason = /the database does not answer in time/;
    await goThrough(
      { baseUrl, user },
      () => signal('SIGSTOP'),
      reason,
      () => signal('SIGCONT'),
    );
  });

  test('is killed, all of it: back without help', { timeout: 60_000 }, async () => {
    const { baseUrl } = service;
    const before = await carryOut(baseUrl, signing(user, 'before the kill'));
    for (const pid of processes().toReversed()) process.kill(pid, 'SIGKILL');
    const during = signing(user, 'after the kill');
    const { status } = await send(baseUrl, during);
    expect([200, 503]).toContain(status);
    await healthyAgain(baseUrl);
    const { id } = await carryOut(baseUrl, during);
    const listed = (await listActivities(baseUrl, user)).map((activity) => activity.id);
    expect(listed.slice(0, 2)).toEqual([id, before.id]);
    expect(service.output()).toMatch(/PostgreSQL ended \(SIGKILL\); starting again/);
  });
});

describe('a database of the operator', { timeout: 60_000 }, () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'countersign-outage-'));
  let postgres: TestPostgres;
  let service: Service;
  let user: User;
  let url: string;
  beforeAll(async () => {
    postgres = await startPostgres();
    url = await addDatabase(postgres, 'outage');
    service = await startService({ dataDir, env: { DATABASE_URL: url } });
    user = await createUser(service.baseUrl, service.root);
  }, 60_000);
  afterAll(async () => {
    await service?.stop();
    await postgres?.remove();
    rmSync(dataDir, { recursive: true, force: true });
  }, 30_000);

  const disconnect = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'outage'`;
  const there = () => ({ baseUrl: service.baseUrl, user });

  test('is stopped', () =>
    goThrough(there(), postgres.stop, /the database (?:is not running|refuses connections)/, postgres.start));

  test('is read-only', () =>
    goThrough(
      there(),
      () => administer(postgres.url, 'ALTER ROLE outage SET default_transaction_read_only = on', disconnect),
      /the database is read-only/,
      () => administer(postgres.url, 'ALTER ROLE outage RESET default_transaction_read_only', disconnect),
    ));

  test('takes no rows from the role', () =>
    goThrough(
      there(),
      () => administer(url, 'REVOKE INSERT ON ALL TABLES IN SCHEMA public FROM outage'),
      /the database role lacks rights/,
      () => administer(url, 'GRANT INSERT ON ALL TABLES IN SCHEMA public TO outage'),
    ));
});

describe('the disk of the data directory', () => {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-disk-'));
  // A small disk that only the service's own mount namespace has; it goes with the last process there.
  const mount = 'mount -t tmpfs -o size=160m,mode=0700 tmpfs "$0" && exec "$@"';
  const prefix = ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', mount, folder];
  const canMount = () => {
    try {
      const [program = '', ...words] = prefix;
      execFileSync(program, [...words, 'true'], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  };
  let started: Launched;
  afterAll(async () => {
    started?.signal('SIGTERM');
    await started?.ended;
    rmSync(folder, { recursive: true, force: true });
  }, 30_000);

  test.skipIf(!canMount())('is full', { timeout: 90_000 }, async () => {
    const env = { PORT: String(await freePort()), COUNTERSIGN_DATA_DIR: join(folder, 'data') };
    started = launch({ prefix, env });
    await started.healthy();
    const disk = `/proc/${started.pid}/root${folder}`;
    const root = JSON.parse(readFileSync(join(disk, 'data', 'root.json'), 'utf8')) as RootFile;
    const user = await createUser(root.apiBaseUrl, root);
    const filler = join(disk, 'filler');
    const fill = () => {
      const { bavail, bsize } = statfsSync(disk);
      writeFileSync(filler, Buffer.alloc(bavail * bsize));
    };
    const { apiBaseUrl: baseUrl } = root;
    await goThrough({ baseUrl, user }, fill, /the disk of the database is full/, () => rmSync(filler));
  });
});
