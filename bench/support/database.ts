/** A data directory's PostgreSQL by itself, without the service. */
import { openHost } from '../../src/cli/host.ts';
import { lockDataDirectory } from '../../src/cli/lock.ts';
import { openPostgres } from '../../src/cli/postgres.ts';
import type { Defer } from './clean-up.ts';

/** Starts it and gives its URL. The lock on the data directory is held until this process ends. */
export async function startDatabase(defer: Defer, dataDir: string): Promise<string> {
  const host = await openHost(dataDir, () => {});
  const locks = await lockDataDirectory(dataDir, host.isolation.tools.flock, () => {});
  const postgres = await openPostgres(host, locks.others);
  const server = postgres.launch();
  defer(() => server.stop(false));
  await postgres.ready(server);
  return postgres.databaseUrl;
}
