/** The database for a backup or a restore: the one that runs, or the embedded one, started for as long as it takes. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { openHost } from '../host.ts';
import { lockDataDirectory } from '../lock.ts';
import { OperatorError } from '../operator-error.ts';
import { openPostgres } from '../postgres.ts';
import { findTools } from '../tools.ts';
import { checkout } from '../view.ts';

type Say = (line: string) => void;

/** Starts the embedded server on `dataDir`, which no service may use, and makes it if there is none. */
export async function withEmbedded<T>(
  dataDir: string,
  say: Say,
  work: (databaseUrl: string) => Promise<T>,
): Promise<T> {
  const locks = await lockDataDirectory(dataDir, findTools().flock, say);
  const postgres = await openPostgres(await openHost(dataDir, say), locks.others);
  const server = postgres.launch();
  try {
    await postgres.ready(server);
    return await work(postgres.databaseUrl);
  } finally {
    await server.stop(false);
  }
}

export async function withClient<T>(databaseUrl: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = await connect(databaseUrl);
  try {
    return await work(client);
  } finally {
    client.end().catch(() => {});
  }
}

/** Whether something takes connections there; other failures than a refused connection are thrown. */
export async function isRunning(databaseUrl: string): Promise<boolean> {
  try {
    const client = await connect(databaseUrl);
    await client.end();
    return true;
  } catch (error) {
    if (/ECONNREFUSED/.test((error as Error).message)) return false;
    throw error;
  }
}

async function connect(databaseUrl: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: databaseUrl, connectionTimeoutMillis: 10_000, keepAlive: true });
  client.on('error', () => {});
  try {
    await client.connect();
    return client;
  } catch (error) {
    const first = error instanceof AggregateError ? error.errors[0] : error;
    throw new OperatorError(`the database cannot be reached: ${(first as Error).message}`);
  }
}

/** Of tables that hold nothing of the ledger, and of the migrations' own. */
const transient = ['lease', 'kysely_migration', 'kysely_migration_lock'];

export type Table = { readonly name: string; readonly columns: readonly string[] };

/** The tables of the ledger and their columns. */
export async function listTables(client: pg.Client): Promise<Table[]> {
  const { rows } = await client.query<Table>(
    `select table_name as name, array_agg(column_name::text order by ordinal_position) as columns
     from information_schema.columns where table_schema = current_schema() and table_name <> all($1)
     group by table_name order by table_name`,
    [transient],
  );
  return rows;
}

export async function listMigrations(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>('select name from kysely_migration order by name');
  return rows.map(({ name }) => name);
}

/** Makes the tables as the migrations `names` leave them, in a database that has none. */
export async function makeTables(databaseUrl: string, names: readonly string[]): Promise<void> {
  const { Kysely, PostgresDialect } = await import('kysely');
  const { FileMigrationProvider, Migrator } = await import('kysely/migration');
  const [{ promises: fs }, { default: path }] = await Promise.all([import('node:fs'), import('node:path')]);
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 1 });
  pool.on('error', () => {});
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
  try {
    const provider = new FileMigrationProvider({ fs, path, migrationFolder: join(checkout, 'migrations') });
    const { error } = await new Migrator({ db, provider }).migrateTo(names.at(-1) as string);
    if (error) throw error;
  } finally {
    await db.destroy();
  }
}

export const programVersion = (): string =>
  (JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8')) as { version: string }).version;
