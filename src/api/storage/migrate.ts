/** Brings the tables of a database up to date (the folder `migrations`). */
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';

const folder = fileURLToPath(new URL('../../../migrations/', import.meta.url));

/** Milliseconds to wait for a database that starts at the same time. */
const startTimeout = 30_000;

/** Like `migrate`, but waits for a database that does not take connections yet. */
export async function migrateWhenReady(databaseUrl: string): Promise<void> {
  for (const start = performance.now(); ; await sleep(100)) {
    try {
      return await migrate(databaseUrl);
    } catch (error) {
      if (!isStarting(error) || performance.now() - start > startTimeout) throw error;
    }
  }
}

/** Nobody answers, or PostgreSQL says that it is starting, stopping or has no connection to spare. */
function isStarting(error: unknown): boolean {
  const { code, message } = error as { code?: string; message: string };
  return code === undefined ? /timeout|terminated/.test(message) : passing.includes(code);
}

const passing = [
  ...['ECONNREFUSED', 'ENOENT', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND'],
  ...['EAI_AGAIN', '57P01', '57P02', '57P03', '53300'],
];

/** Runs the migrations that are missing; two that start at once do it once. Rejects when the database is newer. */
export async function migrate(databaseUrl: string): Promise<void> {
  if (await isCurrent(databaseUrl)) return;
  // kysely takes a quarter of a second to load, which a start with nothing to do need not spend.
  const { Kysely, PostgresDialect } = await import('kysely');
  const { FileMigrationProvider, Migrator } = await import('kysely/migration');
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 1 });
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
  try {
    const provider = new FileMigrationProvider({ fs, path, migrationFolder: folder });
    const { error } = await new Migrator({ db, provider }).migrateToLatest();
    if (error) throw error;
  } finally {
    await db.destroy();
  }
}

const undefinedTable = '42P01';

async function isCurrent(databaseUrl: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: databaseUrl, connectionTimeoutMillis: 3_000 });
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string }>('select name from kysely_migration order by name');
    const files = (await fs.readdir(folder)).filter((file) => file.endsWith('.ts')).sort();
    return files.map((file) => path.parse(file).name).join() === rows.map((row) => row.name).join();
  } catch (error) {
    if ((error as { code?: string }).code === undefinedTable) return false;
    throw error;
  } finally {
    await client.end();
  }
}
