/** Two enclaves by mistake on one PostgreSQL: the second one waits until the first one's connection is gone. */

import pg from 'pg';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type BatchWriter, createBatchWriter } from '../../../src/api/storage/batch-writer.ts';
import { migrate } from '../../../src/api/storage/migrate.ts';
import type { WriteOutcome } from '../../../src/api/storage/write-batch.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres.ts';
import { emptyBatch } from './batches.ts';

let server: TestPostgres;
const writers: BatchWriter[] = [];
const boot = (id: number) => Buffer.alloc(32, id);

beforeAll(async () => {
  server = await startPostgres();
  await migrate(server.url);
}, 60_000);
afterEach(() => {
  for (const writer of writers.splice(0)) writer.close();
});
afterAll(() => server.remove());

function open(onWritten: (outcome: WriteOutcome) => void = () => {}): BatchWriter {
  const writer = createBatchWriter(server.url, { onWritten: (_, outcome) => onWritten(outcome), onFailed: () => {} });
  writers.push(writer);
  return writer;
}

async function run(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: server.url });
  await client.connect();
  await client.query(sql);
  await client.end();
}

test('the second enclave is told who holds the database, and gets it when that one is gone', async () => {
  const [first, second] = [open(), open()];
  expect(await first.lease(boot(1))).toBeNull();
  expect(await first.lease(boot(1))).toBeNull();
  const refused = await second.lease(boot(2));
  expect(refused).toMatch(/^the enclave with boot id (01){32} writes to this database since 20\d\d-.*: stop it first/);
  // Its next start, over the same connection or another one.
  expect(await first.lease(boot(3))).toBeNull();
  first.close();
  await expect.poll(() => second.lease(boot(2)), { timeout: 5000 }).toBeNull();
});

test('an enclave whose connection broke goes on where nobody took its place, and stops where somebody did', async () => {
  const outcomes: WriteOutcome[] = [];
  const first = open((outcome) => outcomes.push(outcome));
  await expect.poll(() => first.lease(boot(1)), { timeout: 5000 }).toBeNull();
  const breakAll = `select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and application_name = 'countersign'`;
  await run(breakAll);
  first.write(emptyBatch(1));
  await first.idle();
  expect(outcomes).toEqual(['committed']);
  await run(breakAll);
  const second = open();
  await expect.poll(() => second.lease(boot(2)), { timeout: 5000 }).toBeNull();
  first.write(emptyBatch(2));
  await first.idle();
  expect(outcomes).toEqual(['committed', 'conflict']);
  // Nor is the connection that was refused good for another try.
  first.write(emptyBatch(3));
  await first.idle();
  expect(outcomes).toEqual(['committed', 'conflict', 'conflict']);
});

test('a row that was altered or deleted does not keep the database from an enclave', async () => {
  await run(`update lease set backend = 'x', holder = 'y', fence = -1`);
  const first = open();
  expect(await first.lease(boot(1))).toBeNull();
  await run('delete from lease');
  expect(await first.lease(boot(1))).toBeNull();
});
