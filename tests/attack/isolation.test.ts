/**
 * The host boundary of DESIGN §2, looked at from each of the three processes: what a taken-over `api` or PostgreSQL, or code
 * that got into the enclave, could reach. What the machine does not offer is skipped by name.
 */
import { execFile, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { derivations } from '../../src/enclave/contexts.ts';
import { deriveKey } from '../../src/enclave/sealing/seal.ts';
import { createResident, type Resident, sign } from '../support/resident.ts';
import { rootKeyOf } from '../support/root-key.ts';
import { type Service, type ServicePids, startService } from '../support/service.ts';
import { overHttp, query, rootCaller, submit, type Wire } from '../support/wire.ts';

const isRoot = process.platform === 'linux' && process.getuid?.() === 0;
const hasTools = (...names: string[]) =>
  names.every((name) => ['/usr/bin', '/bin', '/usr/sbin', '/sbin'].some((folder) => existsSync(join(folder, name))));

let service: Service;
let wire: Wire;
let alice: Resident;
let isolation: string;
let pids: Record<keyof ServicePids, number>;

beforeAll(async () => {
  service = await startService({ env: { COUNTERSIGN_LOG_LEVEL: 'debug' } });
  wire = overHttp(service.baseUrl);
  alice = await createResident(wire, rootCaller(service.root), 'Alice');
  expect((await sign(wire, alice.byPasskey, alice.addresses[0])).status).toBe(200);
  isolation = /^isolation: (.*)$/m.exec(service.output())?.[1] as string;
  pids = service.pids() as typeof pids;
});

afterAll(() => service?.stop());

const run = promisify(execFile);

/** Runs a command; its exit code, and what it wrote. */
async function attempt(command: string, args: readonly string[]): Promise<{ code: number; output: string }> {
  try {
    const { stdout, stderr } = await run(command, args, { env: { PATH: process.env.PATH }, timeout: 60_000 });
    return { code: 0, output: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, output: `${stdout}${stderr}` };
  }
}

const uidOf = (pid: number) => Number(/^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
const commandLine = (pid: number) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').filter(Boolean);
const environment = (pid: number) => readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').filter(Boolean);

const as = (uid: number, ...command: string[]) =>
  attempt('setpriv', [`--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', '--', ...command]);
const within = (pid: number, namespaces: readonly string[], ...command: string[]) =>
  attempt('nsenter', ['-t', String(pid), ...namespaces, '--', ...command]);

describe.skipIf(!isRoot || !hasTools('setpriv', 'nsenter', 'cat'))('on Linux, started by root', () => {
  beforeEach(({ skip }) => {
    skip(!isolation.includes('namespaces of their own'), `start says \`isolation: ${isolation}\``);
  });

  test('the three run under three uids, none of them root, with no capability and no way to get one', () => {
    const running = [pids.enclave, pids.api, pids.postgres];
    const uids = running.map(uidOf);
    expect(new Set(uids).size).toBe(3);
    expect(uids).not.toContain(0);
    for (const pid of running) {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      expect(status).toMatch(/^NoNewPrivs:\s+1$/m);
      for (const set of ['CapPrm', 'CapEff', 'CapBnd', 'CapAmb']) {
        expect(status).toMatch(new RegExp(`^${set}:\\s+0{16}$`, 'm'));
      }
      expect(readFileSync(`/proc/${pid}/limits`, 'utf8')).toMatch(/^Max core file size\s+0\s+0\s/m);
    }
  });

  test("neither the uid of api nor of PostgreSQL reads what is the enclave's, or the operator's", async () => {
    const folder = join(service.dataDir, 'enclave');
    const secret = [
      'enclave/sealing',
      'enclave/anchor',
      'enclave/orders',
      'root.json',
      'postgres.json',
      'enclave.lock',
    ];
    for (const path of secret.map((name) => join(service.dataDir, name))) {
      expect(existsSync(path), path).toBe(true);
      for (const pid of [pids.api, pids.postgres]) {
        expect((await as(uidOf(pid), 'cat', path)).code, path).not.toBe(0);
        // In its own view of the file system the path is not even there; root enters it to look.
        expect((await within(pid, ['-m'], '/bin/sh', '-c', `test -e '${path}'`)).code, path).not.toBe(0);
      }
    }
    // Even if the data directory could be entered, the folder itself is its owner's alone.
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(statSync(folder).uid).toBe(uidOf(pids.enclave));
    for (const name of ['sealing', 'anchor']) expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
    // The enclave sees its own folder, and none of the others.
    expect((await within(pids.enclave, ['-m'], '/bin/sh', '-c', `test -e '${folder}/sealing'`)).code).toBe(0);
    for (const other of ['postgres', 'root.json', 'postgres.json', 'cache']) {
      const path = join(service.dataDir, other);
      expect((await within(pids.enclave, ['-m'], '/bin/sh', '-c', `test -e '${path}'`)).code, other).not.toBe(0);
    }
  });

  test('neither can trace the enclave or read its memory, environment or descriptors', async () => {
    for (const uid of [uidOf(pids.api), uidOf(pids.postgres)]) {
      for (const part of ['mem', 'environ', 'maps', 'fd/3', 'cwd', 'root']) {
        const path = `/proc/${pids.enclave}/${part}`;
        const read = part === 'mem' ? ['dd', `if=${path}`, 'bs=1', 'count=1'] : ['ls', '-l', `${path}/`];
        const command = ['environ', 'maps'].includes(part) ? ['cat', path] : read;
        const { code, output } = await as(uid, ...command);
        expect(code, `${part}: ${output}`).not.toBe(0);
        expect(output).toMatch(/denied|not permitted/i);
      }
      expect((await as(uid, 'kill', '-0', String(pids.enclave))).code).not.toBe(0);
    }
    // From inside api's own namespaces the enclave is no process at all.
    const inside = await within(pids.api, ['-m', '-p'], '/bin/sh', '-c', 'cat /proc/[0-9]*/cmdline');
    expect(inside.output).toContain('src/api/main.ts');
    expect(inside.output).not.toContain('src/enclave/main.ts');
  });

  test.skipIf(!hasTools('gdb'))('a debugger of the uid of api cannot attach', async () => {
    const { output } = await as(
      uidOf(pids.api),
      'gdb',
      '-batch',
      '-nx',
      '-p',
      String(pids.enclave),
      '-ex',
      'info proc',
    );
    expect(output).toMatch(/Operation not permitted|ptrace/i);
  });

  test('the enclave has no network: no interface but lo, no route, no connection', async () => {
    const interfaces = readFileSync(`/proc/${pids.enclave}/net/dev`, 'utf8').split('\n').slice(2).filter(Boolean);
    expect(interfaces.map((line) => line.split(':')[0]?.trim())).toEqual(['lo']);
    const routes = (file: string, header: number) =>
      readFileSync(`/proc/${pids.enclave}/net/${file}`, 'utf8').split('\n').slice(header).filter(Boolean);
    expect(routes('route', 1)).toEqual([]);
    expect(routes('ipv6_route', 0).filter((line) => !line.trim().endsWith(' lo'))).toEqual([]);
    const server = createServer((socket) => socket.end()).listen(0, '0.0.0.0');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const script = `require('node:net').connect(${port}, '127.0.0.1').on('connect', () => process.exit(0)).on('error', () => process.exit(7))`;
    const connect = (namespaces: string[]) => within(pids.enclave, namespaces, process.execPath, '-e', script);
    // Outside of it the same connection is made.
    expect((await within(process.pid, ['-n'], process.execPath, '-e', script)).code).toBe(0);
    expect((await connect(['-n'])).code).toBe(7);
    server.close();
    const ports = [service.port, Number(new URL(service.root.databaseUrl).port)];
    for (const each of ports) {
      const dial = script.replace(String(port), String(each));
      expect((await within(pids.enclave, ['-n'], process.execPath, '-e', dial)).code).toBe(7);
    }
  });

  test('the flags that the enclave runs under leave no dynamic code, program, thread or file to reach for', async () => {
    const line = commandLine(pids.enclave);
    const flags = line.slice(1, -1);
    expect(flags).toContain('--disallow-code-generation-from-strings');
    const script = (code: string) => attempt(line[0] as string, [...flags, '--input-type=module', '-e', code]);
    expect((await script('console.log(1 + 1)')).output).toContain('2');
    const forbidden = {
      eval: `eval('1')`,
      'new Function': `new Function('return 1')()`,
      'a timer of text': `const { constructor: F } = async function () {}; await F('return 1')()`,
      'a program': `(await import('node:child_process')).execFileSync('/bin/true')`,
      'a thread': `new (await import('node:worker_threads')).Worker('1', { eval: true })`,
      '/etc/passwd': `(await import('node:fs')).readFileSync('/etc/passwd')`,
      'another folder': `(await import('node:fs')).writeFileSync('/tmp/x', '')`,
      "the operator's file": `(await import('node:fs')).readFileSync('${join(service.dataDir, 'root.json')}')`,
      'an inspector': `(await import('node:inspector')).open(0)`,
    };
    for (const [name, code] of Object.entries(forbidden)) {
      const { code: exit, output } = await script(code);
      expect(exit, `${name}: ${output}`).not.toBe(0);
      expect(output, name).toMatch(
        /Code generation from strings|EvalError|ERR_ACCESS_DENIED|ERR_INSPECTOR|Access to this API/,
      );
    }
    // No debugger is opened by a signal either.
    process.kill(pids.enclave, 'SIGUSR1');
    expect((await query(wire, alice.byPasskey, 'whoami')).status).toBe(200);
    expect(service.output()).not.toContain('Debugger listening');
  });

  test('no descriptor of one process is a way into another', () => {
    const targets = (pid: number) =>
      readdirSync(`/proc/${pid}/fd`).map((fd) => spawnSync('readlink', [`/proc/${pid}/fd/${fd}`]).stdout.toString());
    for (const pid of [pids.api, pids.postgres]) {
      expect(targets(pid).filter((target) => target.includes('/enclave'))).toEqual([]);
    }
    expect(targets(pids.enclave).filter((target) => /postgres|root\.json|others\.lock/.test(target))).toEqual([]);
  });
});

describe('the database role', () => {
  let db: pg.Client;

  beforeAll(async () => {
    db = new pg.Client({ connectionString: service.root.databaseUrl });
    await db.connect();
  });
  afterAll(() => db?.end());

  test('owns its tables and is nobody else', async () => {
    const { rows } = await db.query('select * from pg_roles where rolname = current_user');
    const no = {
      rolsuper: false,
      rolcreaterole: false,
      rolcreatedb: false,
      rolreplication: false,
      rolbypassrls: false,
    };
    expect(rows[0]).toMatchObject(no);
    const { rows: memberships } = await db.query(
      `select rolname from pg_roles where pg_has_role(current_user, oid, 'MEMBER') and rolname <> current_user`,
    );
    // Whoever owns a database is that, and the role gives nothing more.
    expect(memberships).toEqual([{ rolname: 'pg_database_owner' }]);
    const { rowCount } = await db.query('select 1 from heads limit 1');
    expect(rowCount).toBe(1);
  });

  const sealing = () => join(service.dataDir, 'enclave', 'sealing');
  const forbidden: Record<string, () => string> = {
    'COPY … TO PROGRAM': () => `copy (select 1) to program 'true'`,
    'COPY … FROM PROGRAM': () => `copy hints from program 'true'`,
    'COPY FROM a file': () => `copy hints from '${sealing()}'`,
    'COPY TO a file': () => `copy (select 1) to '/tmp/countersign-attack'`,
    pg_read_file: () => `select pg_read_file('${sealing()}')`,
    pg_read_binary_file: () => `select pg_read_binary_file('postgresql.conf')`,
    pg_ls_dir: () => `select pg_ls_dir('.')`,
    pg_stat_file: () => `select pg_stat_file('${sealing()}')`,
    lo_import: () => `select lo_import('${sealing()}')`,
    lo_export: () => `select lo_export(1, '/tmp/countersign-attack')`,
    'ALTER SYSTEM': () => `alter system set archive_command = 'true'`,
    'SET ROLE': () => 'set role postgres',
    'CREATE ROLE': () => 'create role other superuser',
    GRANT: () => 'grant pg_execute_server_program to current_user',
    LOAD: () => `load '/tmp/evil.so'`,
    'a function in C': () => `create function f() returns int language c as '/tmp/evil.so', 'f'`,
    'an internal function': () => `create function f() returns int language internal as 'pg_ls_dir'`,
    file_fdw: () => 'create extension file_fdw',
    dblink: () => 'create extension dblink',
    postgres_fdw: () => 'create extension postgres_fdw',
    plpython3u: () => 'create extension plpython3u',
    plperlu: () => 'create extension plperlu',
    adminpack: () => 'create extension adminpack',
    'a subscription': () => `create subscription s connection 'host=127.0.0.1' publication p`,
    'a tablespace': () => `create tablespace t location '${join(service.dataDir, 'enclave')}'`,
    'passwords of roles': () => 'select rolpassword from pg_authid',
    'another backend': () =>
      `select pg_terminate_backend(pid) from pg_stat_activity where usename is distinct from current_user`,
  };

  test.each(Object.keys(forbidden))('may not: %s', async (name) => {
    const statement = (forbidden[name] as () => string)();
    const error = await db.query(statement).then(
      () => undefined,
      (refusal: { code: string }) => refusal,
    );
    // insufficient_privilege, or an extension that is not even there.
    const isExtension = statement.startsWith('create extension');
    expect(isExtension ? ['42501', '0A000', '58P01'] : ['42501']).toContain(error?.code);
  });
});

describe('secrets', () => {
  const secretsOf = () => {
    const rootKey = rootKeyOf(join(service.dataDir, 'enclave'));
    const purposes = Object.keys(derivations) as (keyof typeof derivations)[];
    return [rootKey, ...purposes.map((purpose) => deriveKey(rootKey, purpose).export())].flatMap((key) => [
      key.toString('hex'),
      key.toString('base64'),
      key.toString('base64url'),
      key.toString('latin1'),
    ]);
  };

  test('are nowhere in what the processes write', async () => {
    // Refusals and faults of many kinds first, for these are what gets written.
    const bodies = ['', '{', '[]', 'null', `{"organizationId":"${alice.organizationId}"}`, '\u0000'];
    for (const body of bodies) {
      for (const stamp of [null, alice.byPasskey.stamp(body), { header: 'X-Stamp', value: 'x' } as const]) {
        await wire({ kind: 'submit', name: 'sign_raw_payload', body, stamp });
        await wire({ kind: 'query', name: 'whoami', body, stamp });
      }
    }
    const account = { curve: 'CURVE_SECP256K1', pathFormat: 'PATH_FORMAT_BIP32', path: 'x' };
    const accounts = [{ ...account, addressFormat: 'ADDRESS_FORMAT_ETHEREUM' }];
    await submit(wire, alice.byPasskey, 'create_wallet', 'CREATE_WALLET', { walletName: 'w', accounts });
    const written = service.output() + readFileSync(join(service.dataDir, 'postgres.log'), 'utf8');
    expect(written).toContain('sign_raw_payload');
    const { apiPrivateKey, databaseUrl } = service.root;
    const { password } = new URL(databaseUrl);
    const superuser = JSON.parse(readFileSync(join(service.dataDir, 'postgres.json'), 'utf8')).superuser.password;
    for (const secret of [apiPrivateKey, password, superuser, ...(isRoot ? secretsOf() : [])]) {
      expect(written.includes(secret)).toBe(false);
    }
    expect(written).not.toMatch(/alice@example\.com|clientDataJson|"x-stamp/i);
  });

  test.skipIf(process.platform !== 'linux')('are in no environment or command line but where they are needed', () => {
    const { apiPrivateKey, databaseUrl } = service.root;
    const { password } = new URL(databaseUrl);
    const { supervisor, api, enclave, postgres } = pids;
    const superuser = JSON.parse(readFileSync(join(service.dataDir, 'postgres.json'), 'utf8')).superuser.password;
    for (const pid of [supervisor, api, enclave, postgres]) {
      const all = [...environment(pid), ...commandLine(pid)].join('\n');
      for (const secret of [apiPrivateKey, superuser, ...(isRoot ? secretsOf() : [])]) {
        expect(all.includes(secret)).toBe(false);
      }
      expect(commandLine(pid).join('\n').includes(password)).toBe(false);
      expect(environment(pid).join('\n').includes(password)).toBe(pid === api);
    }
    expect(environment(enclave).map((entry) => entry.split('=')[0])).not.toContain('DATABASE_URL');
  });

  test.skipIf(process.platform !== 'linux')(
    'signals that dump memory leave no core file and no report, and nothing of them in what is written',
    async () => {
      // In a process namespace of its own the enclave does not even take them; elsewhere it is started again.
      for (const signal of ['SIGQUIT', 'SIGABRT', 'SIGSEGV'] as const) {
        process.kill(service.pids().enclave as number, signal);
        await sleep(200);
        const status = async () => (await query(wire, alice.byPasskey, 'whoami').catch(() => null))?.status;
        await expect.poll(status, { timeout: 60_000 }).toBe(200);
      }
      const left = readdirSync(service.dataDir, { recursive: true }).map(String);
      expect(left).toContain('root.json');
      expect(left.filter((path) => /(^|\/)(core(\.\d+)?|report\..*\.json)$/.test(path))).toEqual([]);
      for (const secret of isRoot ? secretsOf() : []) expect(service.output().includes(secret)).toBe(false);
    },
  );
});
