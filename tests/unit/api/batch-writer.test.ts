import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { type BatchWriter, createBatchWriter } from '../../../src/api/storage/batch-writer.ts';
import { migrate } from '../../../src/api/storage/migrate.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres.ts';
import { activityOf, emptyBatch, headOf } from './batches.ts';

let server: TestPostgres;
let writer: BatchWriter;
let written: [number, string][];
let failures: number[];

beforeAll(async () => {
  server = await startPostgres();
  await migrate(server.url);
}, 60_000);
afterAll(() => server.remove());

beforeEach(async () => {
  await query('truncate heads, activities, batches');
  written = [];
  failures = [];
  writer = createBatchWriter(server.url, {
    onWritten: (batch, outcome) => written.push([batch.number, outcome]),
    onFailed: (batch) => failures.push(batch.number),
  });
});
afterEach(() => writer.close());

async function query(text: string): Promise<{ number: number }[]> {
  const client = new pg.Client({ connectionString: server.url });
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

const batchOf = (number: number) => ({
  ...emptyBatch(number),
  heads: [headOf(Buffer.alloc(16, number))],
  activities: [activityOf(randomBytes(16))],
});

test('batches are written in the order they were handed over', async () => {
  for (let number = 1; number <= 30; number++) writer.write(batchOf(number));
  await writer.idle();
  expect(written).toEqual(Array.from({ length: 30 }, (_, at) => [at + 1, 'committed']));
});

test('while PostgreSQL is gone nothing is lost, and all is written once it is back', async () => {
  writer.write(batchOf(1));
  await writer.idle();
  await server.stop();
  for (let number = 2; number <= 5; number++) writer.write(batchOf(number));
  await vi.waitFor(() => expect(failures.length).toBeGreaterThan(3), 5_000);
  expect(new Set(failures)).toEqual(new Set([2]));
  expect(writer.trouble()?.reason).toMatch(/^the database|^the connection/);
  await server.start();
  await writer.idle();
  expect(writer.trouble()).toBeNull();
  expect(written.map(([number]) => number)).toEqual([1, 2, 3, 4, 5]);
  expect(await query('select number from batches order by number')).toHaveLength(5);
}, 20_000);

test('a database that takes no writes is tried again until it does', async () => {
  await query('alter table activities add constraint full_disk check (false) not valid');
  writer.write(batchOf(1));
  await vi.waitFor(() => expect(failures.length).toBeGreaterThan(2), 5_000);
  expect(await query('select number from batches')).toEqual([]);
  await query('alter table activities drop constraint full_disk');
  await writer.idle();
  expect(written).toEqual([[1, 'committed']]);
});

test('a batch whose commit was not heard of is recognised by its record', async () => {
  const batch = batchOf(1);
  writer.write(batch);
  writer.write(batch);
  writer.write({ ...batchOf(1), record: Buffer.from('of another enclave') });
  await writer.idle();
  expect(written.map(([, outcome]) => outcome)).toEqual(['committed', 'committed', 'conflict']);
  expect(failures).toEqual([]);
});
