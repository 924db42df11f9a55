/** The database does not answer, is gone, is read-only or its disk is full: 503 with the reason, nothing lost, and back by itself. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { freePort } from '../../src/cli/port.ts';
import type { RootFile } from '../../src/cli/root-file.ts';
import { startPostgres } from '../support/postgres.ts';
import { descendants, isAlive, startService } from '../support/service.ts';
import { addDatabase, administer } from './database.ts';
import { healthyAgain, launch } from './launch.ts';
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
  { baseUrl, user, padding = '' }: { baseUrl: string; user: User; padding?: string },
  breakIt: () => Promise<void> | void,
  reason: RegExp,
  mendIt: () => Promise<void> | void,
): Promise<void> {
  const known = (await listActivities(baseUrl, user)).map(({ id }) => id);
  known.push((await carryOut(baseUrl, signing(user, 'before'))).id);
  const refused = ['during 1', 'during 2', 'later'].map((text) => signing(user, text + padding));
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

// Side by side, for most of it is waiting.
describe.concurrent('a database outage', () => {
  test('the embedded server stands still, and then is killed with all its processes', async ({ onTestFinished }) => {
    const service = await startService();
    onTestFinished(() => service.stop());
    const { baseUrl, root } = service;
    const user = await createUser(baseUrl, root);
    const signalAll = (signal: NodeJS.Signals) => {
      const first = service.pids().postgres as number;
      for (const pid of [...descendants(first).toReversed(), first].filter(isAlive)) process.kill(pid, signal);
    };
    const stop = () => signalAll('SIGSTOP');
    await goThrough({ baseUrl, user }, stop, /the database does not answer in time/, () => signalAll('SIGCONT'));

    const before = await carryOut(baseUrl, signing(user, 'before the kill'));
    signalAll('SIGKILL');
    const during = signing(user, 'after the kill');
    expect([200, 503]).toContain((await send(baseUrl, during)).status);
    await healthyAgain(baseUrl);
    const { id } = await carryOut(baseUrl, during);
    const listed = (await listActivities(baseUrl, user)).map((activity) => activity.id);
    expect(listed.slice(0, 2)).toEqual([id, before.id]);
    expect(service.output()).toMatch(/PostgreSQL ended .*; starting again/);
  });

  test("the operator's server is stopped, and then takes no writes", async ({ onTestFinished }) => {
    const postgres = await startPostgres();
    onTestFinished(() => postgres.remove());
    const service = await startService({ env: { DATABASE_URL: await addDatabase(postgres, 'outage') } });
    onTestFinished(() => service.stop());
    const { baseUrl, root } = service;
    const user = await createUser(baseUrl, root);
    const gone = /the database (?:is not running|refuses connections)/;
    await goThrough({ baseUrl, user }, postgres.stop, gone, postgres.start);

    const setting = 'default_transaction_read_only';
    const reconnect = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'outage'`;
    const forbid = () => administer(postgres.url, `ALTER ROLE outage SET ${setting} = on`, reconnect);
    const allow = () => administer(postgres.url, `ALTER ROLE outage RESET ${setting}`, reconnect);
    await goThrough({ baseUrl, user }, forbid, /the database is read-only/, allow);
  });

  const folder = mkdtempSync(join(tmpdir(), 'countersign-disk-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  // A small disk that only the service's own mount namespace has; it goes with the last process there.
  const mount = 'mount -t tmpfs -o size=160m,mode=0700 tmpfs "$0" && exec "$@"';
  const onSmallDisk = ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', mount, folder];
  const [program = '', ...words] = onSmallDisk;
  const canMount = spawnSync(program, [...words, 'true']).status === 0;

  test.skipIf(!canMount)('the disk of the data directory is full', async ({ onTestFinished }) => {
    const env = { PORT: String(await freePort()), COUNTERSIGN_DATA_DIR: join(folder, 'data') };
    const started = launch({ prefix: onSmallDisk, env });
    onTestFinished(async () => {
      started.signal('SIGTERM');
      await started.ended;
    });
    await started.healthy();
    const disk = `/proc/${started.pid}/root${folder}`;
    const root = JSON.parse(readFileSync(join(disk, 'data', 'root.json'), 'utf8')) as RootFile;
    const { apiBaseUrl: baseUrl } = root;
    const user = await createUser(baseUrl, root);
    const filler = join(disk, 'filler');
    const fill = () => {
      const { bavail, bsize } = statfsSync(disk);
      writeFileSync(filler, Buffer.alloc(bavail * bsize));
    };
    // A small row may still fit into a page that is there.
    const padding = 'x'.repeat(100_000);
    await goThrough({ baseUrl, user, padding }, fill, /the disk of the database is full/, () => rmSync(filler));
  });
});
