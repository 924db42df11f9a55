/** Makes the database cluster once; a start that was killed in the middle of it is made good by the next. */
import { spawn } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { confine } from './confine.ts';
import { readIfThere, readJsonIfThere, renameDurably, replaceFile } from './files.ts';
import { type Host, ownView } from './host.ts';
import { OperatorError } from './operator-error.ts';
import type { Binaries } from './postgres-binaries.ts';

/** `<data>/postgres.json`, mode 0600: chosen before the cluster is made, and never changed. */
export type Cluster = {
  readonly version: 1;
  readonly port: number;
  readonly superuser: { readonly name: string; readonly password: string };
  readonly role: { readonly name: string; readonly password: string };
  readonly database: string;
};

export const clusterFolder = (dataDir: string): string => join(dataDir, 'postgres');

/** The cluster of this data directory, made if there is none. */
export async function openCluster(host: Host, binaries: Binaries): Promise<Cluster> {
  const file = join(host.dataDir, 'postgres.json');
  const folder = clusterFolder(host.dataDir);
  const known = readJsonIfThere<Cluster>(file);
  if (!known && existsSync(folder)) {
    throw new OperatorError(`${file} is missing, which holds the passwords of ${folder}; restore it from a backup`);
  }
  const cluster = known ?? (await chooseCluster());
  if (!known) replaceFile(file, `${JSON.stringify(cluster, null, 2)}\n`);
  if (!existsSync(folder)) {
    host.say('making the database');
    await makeCluster(host, binaries, cluster, folder);
  }
  return cluster;
}

export const databaseUrlOf = ({ role, port, database }: Cluster): string =>
  `postgres://${role.name}:${role.password}@127.0.0.1:${port}/${database}`;

async function chooseCluster(): Promise<Cluster> {
  const password = () => randomBytes(24).toString('hex');
  return {
    version: 1,
    port: await freePort(),
    superuser: { name: 'postgres', password: password() },
    role: { name: 'countersign', password: password() },
    database: 'countersign',
  };
}

/** Below the ports that systems give to outgoing connections, so that it stays free while the service is down. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 32_000);
    const free = await new Promise<boolean>((resolve) => {
      const server = createServer();
      server.on('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
    });
    if (free) return port;
  }
}

/** Everything is made in a neighbouring folder, which gets its name when it is whole. */
async function makeCluster(host: Host, binaries: Binaries, cluster: Cluster, folder: string): Promise<void> {
  const draft = `${folder}.new`;
  rmSync(draft, { recursive: true, force: true });
  const maker = withAccount(host);
  const confined = ownView(maker, 'postgres', draft, 'passwd');
  const run = (command: string[], input: string) => runToEnd(confine(maker.isolation, confined, command), input);
  const { superuser, role, database } = cluster;
  const options = ['--encoding=UTF8', '--locale=C', '--auth=reject', `--username=${superuser.name}`];
  await run([binaries.initdb, `--pgdata=${draft}`, ...options], '');
  const statements = [
    `ALTER ROLE ${superuser.name} PASSWORD '${superuser.password}'`,
    `CREATE ROLE ${role.name} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD '${role.password}'`,
    `CREATE DATABASE ${database} OWNER ${role.name}`,
    'REVOKE CONNECT ON DATABASE postgres FROM PUBLIC',
    `REVOKE ALL ON DATABASE ${database} FROM PUBLIC`,
  ];
  const single = [binaries.postgres, '--single', '-D', draft, '-c', 'exit_on_error=on', '-c', 'log_min_messages=fatal'];
  await run([...single, 'postgres'], `${statements.join('\n')}\n`);
  // The file is initdb's, and stays so; only its content is ours.
  writeFileSync(join(draft, 'pg_hba.conf'), 'host all all 127.0.0.1/32 scram-sha-256\n', { flush: true });
  renameDurably(draft, folder);
}

/**
 * initdb wants an account of its uid in /etc/passwd. Where the processes see the host's there is none for PostgreSQL's, so
 * `nobody` makes the cluster; it is given to PostgreSQL's uid before the server starts.
 */
function withAccount(host: Host): Host {
  const { kind, uids } = host.isolation;
  if (kind !== 'uids' || !uids) return host;
  const nobody = /^nobody:[^:]*:(\d+):/m.exec(readIfThere('/etc/passwd') ?? '')?.[1];
  return { ...host, isolation: { ...host.isolation, uids: { ...uids, postgres: Number(nobody ?? 65_534) } } };
}

function runToEnd(command: readonly string[], input: string): Promise<void> {
  const [program = '', ...args] = command;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['pipe', 'ignore', 'pipe'], env: { LC_ALL: 'C', TZ: 'UTC' } });
    let messages = '';
    child.stderr.on('data', (chunk) => {
      messages = (messages + chunk).slice(-4000);
    });
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === 0) return resolve();
      const advice = messages.includes('user does not exist')
        ? '\nAdd an account of this uid to /etc/passwd, run as another user, or set DATABASE_URL.'
        : '';
      const how = signal ?? `exit code ${code}`;
      reject(new OperatorError(`PostgreSQL could not be initialised (${how})\n${messages.trim()}${advice}`));
    });
  });
}
