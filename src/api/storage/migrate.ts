/** Brings the tables of a database up to date (the folder `migrations`). */
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { unavailable } from '../../protocol/errors.ts';
import { connect, disconnect } from './connection.ts';

const folder = fileURLToPath(new URL('../../../migrations/', import.meta.url));

/**
 * Runs the migrations that are missing; two that start at once do it once. Throws UNAVAILABLE, saying what to do, when the
 * rows of `kysely_migration` are not those of this version, and what PostgreSQL throws.
 */
export async function migrate(databaseUrl: string): Promise<void> {
  const names = (await fs.readdir(folder))
    .filter((file) => file.endsWith('.ts'))
    .map((file) => path.parse(file).name)
    .sort();
  const done = await readDone(databaseUrl);
  if (done.some((name, index) => name !== names[index])) {
    throw altered(
      `the rows of kysely_migration are not those of this version, whose migrations are ${names.join(', ')}; ` +
        'put the rows back, or run the version that made them',
    );
  }
  if (done.length < names.length) await runMissing(databaseUrl);
}

const undefinedTable = '42P01';
const duplicateTable = '42P07';

/** Names of the migrations that were run, in order. Of many rows, or a long name, only as much as shows that it is wrong. */
async function readDone(databaseUrl: string): Promise<string[]> {
  const client = await connect(databaseUrl);
  try {
    const query = 'select distinct left(name, 100) as name from kysely_migration limit 1000';
    const { rows } = await client.query<{ name: string | null }>(query);
    return rows.map(({ name }) => String(name)).sort();
  } catch (error) {
    if ((error as { code?: string }).code === undefinedTable) return [];
    throw error;
  } finally {
    disconnect(client);
  }
}

async function runMissing(databaseUrl: string): Promise<void> {
  // kysely takes a quarter of a second to load, which a start with nothing to do need not spend.
  const { Kysely, PostgresDialect } = await import('kysely');
  const { FileMigrationProvider, Migrator } = await import('kysely/migration');
  // A migration may take its time, but not the wait for a connection or for another process that migrates.
  const timeouts = { connectionTimeoutMillis: 3_000, lock_timeout: 10_000, keepAlive: true };
  const pool = new pg.Pool({ ...timeouts, connectionString: databaseUrl, max: 1 });
  pool.on('error', () => {});
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
  try {
    const provider = new FileMigrationProvider({ fs, path, migrationFolder: folder });
    const { error, results } = await new Migrator({ db, provider }).migrateToLatest();
    // kysely takes a table of that name in any schema for its own.
    if ((error as { code?: string } | undefined)?.code === undefinedTable) {
      throw altered('the table kysely_migration is missing; put it back, with its rows');
    }
    const failed = results?.find(({ status }) => status === 'Error')?.migrationName;
    if (failed && (error as { code?: string }).code === duplicateTable) {
      throw altered(
        `the tables of migration ${failed} are there but kysely_migration does not name it; put its row back: ` +
          `insert into kysely_migration (name, timestamp) values ('${failed}', now())`,
      );
    }
    if (error) throw error;
  } finally {
    await db.destroy();
  }
}

const altered = (message: string) => unavailable(message, 'DATABASE_UNAVAILABLE');
