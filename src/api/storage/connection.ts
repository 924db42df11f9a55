/** Connections to PostgreSQL as the service needs them. */
import pg from 'pg';

/**
 * All statements are prepared and meant for an index, so one generic plan each is right, whatever the statistics say: a
 * plan made while a table was empty must not become a sequential scan over a million rows. And a commit that is
 * reported must be on disk, whatever the server's default is.
 */
const sessionSettings = `
  select set_config(name, value, false)
  from (values
    ('plan_cache_mode', 'force_generic_plan'),
    ('enable_seqscan', 'off'),
    ('enable_hashjoin', 'off'),
    ('enable_mergejoin', 'off'),
    ('jit', 'off')
  ) as settings (name, value)
  union all
  select set_config('synchronous_commit', 'on', false) where current_setting('synchronous_commit') = 'off'`;

const int8 = 20;
const uuid = 2950;
const types = new pg.TypeOverrides();
// Every number that is stored is below 2^53.
types.setTypeParser(int8, Number);
types.setTypeParser(uuid, (text: string) => Buffer.from(text.replaceAll('-', ''), 'hex'));

/** Milliseconds after which a statement that does not come back counts as failed. */
const queryTimeout = 8_000;

const configOf = (databaseUrl: string): pg.ClientConfig => ({
  connectionString: databaseUrl,
  application_name: 'countersign',
  connectionTimeoutMillis: 3_000,
  query_timeout: queryTimeout,
  statement_timeout: queryTimeout,
  keepAlive: true,
  types,
});

/** A pool for reads. Rows come with UUIDs as 16 bytes and bigints as numbers. */
export function openPool(databaseUrl: string): pg.Pool {
  const config: pg.PoolConfig = { ...configOf(databaseUrl), max: 6, idleTimeoutMillis: 60_000, onConnect: configure };
  const pool = new pg.Pool(config);
  // An idle connection that breaks is replaced by the next query; there is nobody to tell.
  pool.on('error', () => {});
  return pool;
}

/** One connection with the same settings; the caller closes it. */
export async function connect(databaseUrl: string): Promise<pg.Client> {
  const client = new pg.Client(configOf(databaseUrl));
  // Whoever runs the next statement on it gets the error.
  client.on('error', () => {});
  try {
    await client.connect();
    await configure(client);
    return client;
  } catch (error) {
    disconnect(client);
    throw error;
  }
}

/** Gives a connection up without waiting for the server, which may be gone. */
export function disconnect(client: pg.Client): void {
  client.end().catch(() => {});
  client.connection.stream.destroy();
}

async function configure(client: pg.ClientBase): Promise<void> {
  await client.query(sessionSettings);
}
