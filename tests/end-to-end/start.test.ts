/** `countersign start` as operators meet it: the data directory, signals, kills, wrong settings, other users. */
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../../src/cli/port.ts';
import type { RootFile } from '../../src/cli/root-file.ts';
import { settingRows } from '../../src/cli/settings.ts';
import { type Service, startService } from '../support/service.ts';
import { type Launched, launch, leftOf, run } from './launch.ts';
import { carryOut, createUser, payloadOf, prepareActivity, signRawPayload, type User } from './requests.ts';

/** As careful operators make it: others cannot even enter the folder above. */
const folder = mkdtempSync(join(tmpdir(), 'countersign-start-'));
const dataDir = join(folder, 'data');
chmodSync(folder, 0o700);
mkdirSync(dataDir, { mode: 0o700 });
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const readRoot = (data = dataDir) => JSON.parse(readFileSync(join(data, 'root.json'), 'utf8')) as RootFile;

const signs = async ({ apiBaseUrl }: RootFile, user: User) =>
  carryOut(apiBaseUrl, prepareActivity(user, signRawPayload, payloadOf(user.address, `at ${Date.now()}`)));

describe('one data directory through several starts', () => {
  let started: Launched;
  let port: number;
  let first: RootFile;
  let user: User;
  afterAll(() => started?.signal('SIGKILL'));

  const start = async () => {
    started = launch({ env: { PORT: String(port), COUNTERSIGN_DATA_DIR: dataDir } });
    await started.healthy();
    await started.says('Countersign is ready');
  };

  test('the first start fills an empty directory that is closed to others', async () => {
    port = await freePort();
    await start();
    first = readRoot();
    expect(first).toEqual({
      apiBaseUrl: `http://localhost:${port}`,
      databaseUrl: expect.stringMatching(/^postgres:\/\/countersign:[0-9a-f]+@127\.0\.0\.1:\d+\/countersign$/),
      organizationId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      userId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      apiPublicKey: expect.stringMatching(/^0[23][0-9a-f]{64}$/),
      apiPrivateKey: expect.stringMatching(/^[0-9a-f]{64}$/),
      rpId: 'localhost',
      origin: `http://localhost:${port}`,
    });
    expect(statSync(join(dataDir, 'root.json')).mode & 0o777).toBe(0o600);
    expect(statSync(dataDir).mode & 0o777).toBe(0o700);
    const output = started.output();
    expect(output).toContain(`Countersign is ready at http://localhost:${port}`);
    expect(output).toContain('back up TOGETHER');
    expect(output).toMatch(/^isolation: /m);
    expect(output).toMatch(/^next: /m);
    expect(output).not.toContain(first.apiPrivateKey);
    user = await createUser(first.apiBaseUrl, first);
    await signs(first, user);
  });

  test('SIGTERM to the process group ends all of it within 15 s', async () => {
    const all = started.processes();
    expect(all.length).toBeGreaterThan(3);
    const at = performance.now();
    started.signal('SIGTERM');
    expect(await started.ended).toBe(0);
    expect(await leftOf(all, 15_000 - (performance.now() - at))).toEqual([]);
    expect(processesOf(dataDir)).toEqual([]);
  });

  test('a start on another port finds everything, and only the address changes in root.json', async () => {
    port = await freePort();
    await start();
    expect(readRoot()).toEqual({ ...first, apiBaseUrl: `http://localhost:${port}` });
    expect(statSync(join(dataDir, 'root.json')).mode & 0o777).toBe(0o600);
    expect(started.output()).not.toContain('making the database');
    await signs(readRoot(), user);
  });

  test('after SIGKILL of the group an immediate start on the same port and directory works', async () => {
    const before = started.processes();
    started.signal('SIGKILL');
    await start();
    expect(await leftOf(before, 5000)).toEqual([]);
    await signs(readRoot(), user);
  });

  test('so does one after SIGKILL in the middle of a start', async () => {
    started.signal('SIGKILL');
    started = launch({ env: { PORT: String(port), COUNTERSIGN_DATA_DIR: dataDir } });
    await new Promise((resolve) => setTimeout(resolve, 700));
    started.signal('SIGKILL');
    await start();
    await signs(readRoot(), user);
    started.signal('SIGTERM');
    expect(await started.ended).toBe(0);
  });
});

describe('beside a running service', () => {
  let service: Service;
  /** Tries for half a minute, which other tests use. */
  let second: ReturnType<typeof run>;
  beforeAll(async () => {
    service = await startService();
    second = run({ env: { PORT: String(await freePort()), COUNTERSIGN_DATA_DIR: service.dataDir } });
  });
  afterAll(() => service?.stop());

  test('a port in use', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    const env = { PORT: String(port), COUNTERSIGN_DATA_DIR: join(folder, 'port') };
    const { code, output } = await run({ env });
    other.close();
    expect(code).toBe(1);
    expect(output).toBe(
      `countersign: port ${port} on 127.0.0.1 is in use by another program; stop it, or set PORT to another port\n`,
    );
  });

  describe('settings', () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    const unreachable = 'postgres://role:hush@127.0.0.1:1/database';

    test.each<[string, string, RegExp]>([
      ['PORT', '8787x', /^countersign: PORT: expected a TCP port from 1 to 65535, got "8787x"\n$/],
      ['PORT', '70000', /^countersign: PORT: expected a TCP port/],
      ['HOST', 'not a host', /^countersign: HOST: expected an IP address or a host name, got "not a host"\n$/],
      ['HOST', '192.0.2.1', /^countersign: HOST: cannot listen on 192\.0\.2\.1 \(EADDRNOTAVAIL\)/],
      [
        'COUNTERSIGN_DATA_DIR',
        file,
        /^countersign: the data directory .* cannot be used \(ENOTDIR\); set COUNTERSIGN_DATA_DIR/,
      ],
      ['COUNTERSIGN_DATA_DIR', join(file, 'below'), /^countersign: the data directory .* cannot be used \(ENOTDIR\)/],
      [
        'COUNTERSIGN_DATA_DIR',
        '/',
        /^countersign: COUNTERSIGN_DATA_DIR: expected a directory that does not hold the program/,
      ],
      ['DATABASE_URL', 'mysql://role:hush@host/database', /^countersign: DATABASE_URL: expected a URL like postgres:/],
      ['DATABASE_URL', unreachable, /^countersign: DATABASE_URL: the database cannot be reached: .*ECONNREFUSED/],
      ['COUNTERSIGN_SEALING', 'tmp2', /^countersign: COUNTERSIGN_SEALING: expected local-file, .*, got "tmp2"\n$/],
      ['COUNTERSIGN_MODE', 'both', /^countersign: COUNTERSIGN_MODE: expected all, api or enclave, got "both"\n$/],
      [
        'COUNTERSIGN_MODE',
        'api',
        /COUNTERSIGN_ENCLAVE_SOCKET: expected .* in mode api, got nothing\nDATABASE_URL: expected/,
      ],
      ['COUNTERSIGN_ORIGINS', 'app.example.com', /^countersign: COUNTERSIGN_ORIGINS: expected .*origins like/],
      ['COUNTERSIGN_RP_IDS', 'https://example.com', /^countersign: COUNTERSIGN_RP_IDS: expected domain names like/],
      [
        'COUNTERSIGN_PUBLIC_URL',
        'https://example.com/path',
        /^countersign: COUNTERSIGN_PUBLIC_URL: expected a URL like/,
      ],
      [
        'COUNTERSIGN_TRUSTED_PROXIES',
        '10.0.0.0/33',
        /^countersign: COUNTERSIGN_TRUSTED_PROXIES: expected IP addresses/,
      ],
      ['COUNTERSIGN_RATE_LIMIT', '0', /^countersign: COUNTERSIGN_RATE_LIMIT: expected a number of requests/],
      [
        'COUNTERSIGN_ENCLAVE_SOCKET',
        'enclave.sock',
        /^countersign: COUNTERSIGN_ENCLAVE_SOCKET: expected the absolute path/,
      ],
      [
        'COUNTERSIGN_LOG_LEVEL',
        'loud',
        /^countersign: COUNTERSIGN_LOG_LEVEL: expected debug, info, warn, error or silent/,
      ],
    ])('%s=%s is refused with a sentence', async (name, value, message) => {
      const env = { PORT: '18787', COUNTERSIGN_DATA_DIR: join(folder, 'unused'), [name]: value };
      const { code, output } = await run({ env });
      expect(output).toMatch(message);
      expect(output).not.toContain('hush');
      expect(output).not.toMatch(/^\s+at /m);
      expect(code).toBe(1);
    });

    test('all wrong ones are named at once, and nothing is made', async () => {
      const unmade = join(folder, 'unmade');
      const { output } = await run({ env: { PORT: 'x', HOST: '!', COUNTERSIGN_DATA_DIR: unmade } });
      expect(output).toMatch(/^countersign: PORT: .*\nHOST: .*\n$/);
      expect(existsSync(unmade)).toBe(false);
    });

    test('--help lists every one', async () => {
      const { code, output } = await run({ args: ['start', '--help'] });
      expect(code).toBe(0);
      for (const { name } of settingRows) expect(output).toMatch(new RegExp(`^  ${name} `, 'm'));
    });

    test('arguments and commands that do not exist are refused', async () => {
      expect(await run({ args: ['start', '--port=1'] })).toMatchObject({
        code: 1,
        output: expect.stringContaining('--port=1'),
      });
      expect(await run({ args: ['stort'] })).toMatchObject({
        code: 1,
        output: expect.stringContaining('there is no command "stort"'),
      });
    });
  });

  test('a second start on its directory says so and leaves it alone', async () => {
    const { code, output } = await second;
    expect(code).toBe(1);
    expect(output).toContain('waiting for the processes of another start');
    expect(output).toContain(`another countersign is running on ${service.dataDir}`);
    await signs(service.root, await createUser(service.baseUrl, service.root));
  });
});

describe('an unprivileged user', () => {
  const setpriv = ['/usr/bin/setpriv', '/bin/setpriv'].find((path) => existsSync(path));
  const isRoot = process.getuid?.() === 0;
  let started: Launched | undefined;
  afterEach(() => started?.signal('SIGKILL'));

  // Where the tests run as one already, the tests above were it.
  test.skipIf(!isRoot || !setpriv)('starts the whole service', async () => {
    const nobody = 65_534;
    const home = mkdtempSync(join(tmpdir(), 'countersign-nobody-'));
    chownSync(home, nobody, nobody);
    const port = await freePort();
    const prefix = [
      setpriv as string,
      `--reuid=${nobody}`,
      `--regid=${nobody}`,
      '--clear-groups',
      '--no-new-privs',
      '--',
    ];
    const env = { PORT: String(port), COUNTERSIGN_DATA_DIR: join(home, 'data') };
    started = launch({ prefix, env });
    await started.healthy();
    await started.says('isolation: ');
    const root = readRoot(join(home, 'data'));
    expect(statSync(join(home, 'data', 'root.json'))).toMatchObject({ uid: nobody });
    await signs(root, await createUser(root.apiBaseUrl, root));
    const all = started.processes();
    started.signal('SIGTERM');
    expect(await started.ended).toBe(0);
    expect(await leftOf(all, 5000)).toEqual([]);
    rmSync(home, { recursive: true });
  });
});

/** Processes, apart from this one, whose command line or environment names `path`. */
function processesOf(path: string): string[] {
  const found: string[] = [];
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name) && name !== String(process.pid))) {
    try {
      const text = readFileSync(`/proc/${pid}/cmdline`, 'utf8') + readFileSync(`/proc/${pid}/environ`, 'utf8');
      if (text.includes(path)) found.push(`${pid} ${text.slice(0, 200)}`);
    } catch {
      // It has just ended, or is somebody else's.
    }
  }
  return found;
}
