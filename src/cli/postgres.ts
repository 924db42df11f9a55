/** The embedded PostgreSQL server: a child of the supervisor, on 127.0.0.1 only. */
import { openSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { confine, isForked } from './confine.ts';
import { readIfThere } from './files.ts';
import { type Host, ownView } from './host.ts';
import { OperatorError } from './operator-error.ts';
import { postgresBinaries } from './postgres-binaries.ts';
import { type Cluster, clusterFolder, databaseUrlOf, openCluster } from './postgres-init.ts';
import { launch, type Running } from './processes.ts';
import { checkout } from './view.ts';

export type Postgres = {
  readonly databaseUrl: string;
  /** Starts the server. */
  launch(): Running;
  /** Resolves when the server that was launched last takes connections; throws when it ends before that. */
  ready(server: Running): Promise<void>;
};

/** For a service with one busy client, on a solid-state disk, in little memory. */
const parameters = (port: number) => ({
  listen_addresses: '127.0.0.1',
  port,
  unix_socket_directories: '',
  max_connections: 64,
  shared_buffers: '64MB',
  synchronous_commit: 'on',
  random_page_cost: 1.1,
  jit: 'off',
  io_method: 'sync',
  max_wal_senders: 0,
  max_logical_replication_workers: 0,
  timezone: 'UTC',
  // Its log shows no statement: they hold what clients sent.
  log_min_error_statement: 'panic',
  log_checkpoints: 'off',
});

/** Opens the cluster of the data directory, made if there is none. `lock` is a descriptor that the server shall hold. */
export async function openPostgres(host: Host, lock: number): Promise<Postgres> {
  if (process.getuid?.() === 0 && host.isolation.kind === 'none') {
    throw new OperatorError(
      'PostgreSQL does not run as root, and no other uid can be used here: setpriv(1) is missing, or other users cannot ' +
        `read the program (chmod -R go+rX ${checkout}) or get into the data directory (chmod go+x ${host.dataDir} and ` +
        'those above it). Or run as a normal user, or set DATABASE_URL',
    );
  }
  const binaries = await postgresBinaries();
  const cluster = await openCluster(host, binaries);
  const folder = clusterFolder(host.dataDir);
  const log = join(host.dataDir, 'postgres.log');
  const pidFile = join(folder, 'postmaster.pid');
  const options = Object.entries(parameters(cluster.port)).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const command = confine(host.isolation, ownView(host, 'postgres', folder, 'passwd'), [
    binaries.postgres,
    '-D',
    folder,
    ...options,
  ]);
  let before = '';
  return {
    databaseUrl: databaseUrlOf(cluster),
    launch() {
      before = identityOf(pidFile);
      const output = openSync(log, 'w', 0o600);
      return launch({
        name: 'PostgreSQL',
        command,
        forked: isForked(host.isolation),
        env: { LC_ALL: 'C', TZ: 'UTC' },
        stdio: ['ignore', output, output, lock],
        // "Fast" shutdown: sessions are ended, what is committed is written.
        stopSignal: 'SIGINT',
        graceMs: 3000,
      });
    },
    async ready(server) {
      let ended: string | undefined;
      void server.ended.then((reason) => {
        ended = reason;
      });
      // The server writes a new file and sets its eighth line when it takes connections (as pg_ctl expects it).
      while (identityOf(pidFile) === before || !isReady(pidFile)) {
        if (ended) throw failure(cluster, ended, log);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    },
  };
}

const identityOf = (path: string): string => {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat ? `${stat.ino} ${stat.birthtimeMs}` : '';
};

const isReady = (path: string): boolean => readIfThere(path)?.split('\n')[7]?.trim() === 'ready';

function failure({ port }: Cluster, ended: string, log: string): OperatorError {
  const messages = readFileSync(log, 'utf8').slice(-2000);
  if (messages.includes('Address already in use')) {
    return new OperatorError(
      `port ${port} on 127.0.0.1, which this data directory's PostgreSQL was given, is in use by another program; stop that program`,
    );
  }
  return new OperatorError(`PostgreSQL did not start (${ended})\n${messages}`);
}
