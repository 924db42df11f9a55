/** The database does not answer, is gone, is read-only or its disk is full: 503 with the reason, nothing lost, and back by itself. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { RootFile } from '../../src/cli/root-file.ts';
import { startPostgres, type TestPostgres } from '../support/postgres.ts';
import { descendants, freePort, type Service, startService } from '../support/service.ts';
import { addDatabase, administer } from './database.ts';
import { healthyAgain, isHealthy, type Launched, launch, leftOf } from './launch.ts';
import {
  type Answer,
  carryOut,
  createUser,
  listActivities,
  type Prepared,
  payloadOf,
  prepareActivity,
  prepareQuery,
  send,
  signRawPayload,
  type User,
} from './requests.ts';

/** api answers after 10 s at the latest; the rest is for a slow machine. */
const answerMs = 14_000;

const signing = (user: User, text: string) => prepareActivity(user, signRawPayload, payloadOf(user.address, text));

function expectUnavailable({ status, body }: Answer, reason: RegExp): void {
  expect(status, JSON.stringify(body)).toBe(503);
  expect(body).toMatchObject({
    code: 14,
    message: expect.stringMatching(reason),
    details: [{ turnkeyErrorCode: expect.any(String) }],
  });
}

/** What was acknowledged is listed, and what was refused is carried out exactly once when it is sent again. */
async function expectNothingLost(baseUrl: string, user: User, known: readonly string[], refused: readonly Prepared[]) {
  const again = [];
  for (const request of refused) {
    const { id } = await carryOut(baseUrl, request);
    expect((await carryOut(baseUrl, request)).id).toBe(id);
    again.push(id);
  }
  const listed = (await listActivities(baseUrl, user)).map(({ id }) => id);
  expect([...listed].sort()).toEqual([...known, ...again].sort());
}

describe.concurrent('the embedded database', () => {
  let service: Service;
  let user: User;
  beforeAll(async () => {
    service = await startService();
    user = await createUser(service.baseUrl, service.root);
  }, 60_000);
  afterAll(() => service?.stop(), 30_000);

  test('stands still (SIGSTOP): 503 within the time limit, then everything goes on', { timeout: 90_000 }, async () => {
    const { baseUrl } = service;
    const known = [(await carryOut(baseUrl, signing(user, 'before'))).id];
    const first = service.pids().postgres as number;
    const all = [first, ...descendants(first)];
    for (const pid of all) process.kill(pid, 'SIGSTOP');
    try {
      const refused = [signing(user, 'held 1'), signing(user, 'held 2')];
      const at = performance.now();
      const answers = await Promise.all(refused.map((request) => send(baseUrl, request)));
      expect(performance.now() - at).toBeLessThan(answerMs);
      for (const answer of answers) expectUnavailable(answer, /nothing can be recorded now: the database/);
      const later = signing(user, 'refused at once');
      const since = performance.now();
      expectUnavailable(await send(baseUrl, later), /nothing can be recorded now: the database/);
      expect(performance.now() - since).toBeLessThan(2000);
      expect(await isHealthy(baseUrl)).toBe(false);
      for (const pid of all) process.kill(pid, 'SIGCONT');
      await healthyAgain(baseUrl);
      await expectNothingLost(baseUrl, user, known, [...refused, later]);
    } finally {
      for (const pid of all) if ((await leftOf([pid], 0)).length) process.kill(pid, 'SIGCONT');
    }
  });
});

describe.concurrent('a database of the operator', () => {
  let postgres: TestPostgres;
  let service: Service;
  let user: User;
  const dataDir = mkdtempSync(join(tmpdir(), 'countersign-outage-'));
  beforeAll(async () => {
    postgres = await startPostgres();
    service = await startService({ dataDir, env: { DATABASE_URL: await addDatabase(postgres, 'outage') } });
    user = await createUser(service.baseUrl, service.root);
  }, 60_000);
  afterAll(async () => {
    await service?.stop();
    await postgres?.remove();
    rmSync(dataDir, { recursive: true, force: true });
  }, 30_000);

  /** From healthy through 503s for both a submit and its repeat to healthy. */
  async function goThrough(breakIt: () => Promise<void>, reason: RegExp, mendIt: () => Promise<void>): Promise<void> {
    const { baseUrl } = service;
    const known = (await listActivities(baseUrl, user)).map(({ id }) => id);
    known.push((await carryOut(baseUrl, signing(user, 'before'))).id);
    await breakIt();
    const refused = signing(user, 'during');
    try {
      expectUnavailable(await send(baseUrl, refused), reason);
      expectUnavailable(await send(baseUrl, refused), reason);
      const health = await fetch(`${baseUrl}/health`);
      expect(health.status).toBe(503);
      expect(await health.json()).toMatchObject({ database: { ok: false, reason: expect.stringMatching(reason) } });
    } finally {
      await mendIt();
    }
    await healthyAgain(baseUrl);
    await expectNothingLost(baseUrl, user, known, [refused]);
  }

  const disconnect = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'outage'`;
  const sql =
    (...statements: string[]) =>
    () =>
      administer(postgres.url, ...statements);

  describe.sequential('', { timeout: 60_000 }, () => {
    test('is stopped', () =>
      goThrough(postgres.stop, /the database (?:is not running|refuses connections)/, postgres.start));

    test('is read-only', () =>
      goThrough(
        sql('ALTER ROLE outage SET default_transaction_read_only = on', disconnect),
        /the database is read-only/,
        sql('ALTER ROLE outage RESET default_transaction_read_only', disconnect),
      ));

    test('takes no rows from the role', () =>
      goThrough(
        sql(`ALTER DATABASE outage CONNECTION LIMIT -1`, ...onTables('REVOKE INSERT ON', 'FROM outage')),
        /the database role lacks rights/,
        sql(...onTables('GRANT INSERT ON', 'TO outage')),
      ));
  });
});
