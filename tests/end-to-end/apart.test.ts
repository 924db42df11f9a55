/** A PostgreSQL of the operator's own (DATABASE_URL), and api and enclave started apart. */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../../src/cli/port.ts';
import type { RootFile } from '../../src/cli/root-file.ts';
import { startPostgres, type TestPostgres } from '../support/postgres.ts';
import { startService } from '../support/service.ts';
import { addDatabase } from './database.ts';
import { healthyAgain, type Launched, launch, leftOf, run } from './launch.ts';
import {
  carryOut,
  createUser,
  listActivities,
  payloadOf,
  prepareActivity,
  resultOf,
  signRawPayload,
  type User,
} from './requests.ts';

const folder = mkdtempSync(join(tmpdir(), 'countersign-apart-'));
let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(async () => {
  await postgres?.remove();
  rmSync(folder, { recursive: true, force: true });
});

const request = (user: User, text: string) => prepareActivity(user, signRawPayload, payloadOf(user.address, text));

describe('DATABASE_URL', () => {
  test('the service works on a database of the operator, also after a restart', async () => {
    const url = await addDatabase(postgres, 'brought');
    const dataDir = join(folder, 'brought');
    const first = await startService({ dataDir, env: { DATABASE_URL: url } });
    expect(first.root.databaseUrl).toBe(url);
    expect(first.pids().postgres).toBeUndefined();
    expect(existsSync(join(dataDir, 'postgres'))).toBe(false);
    const user = await createUser(first.baseUrl, first.root);
    const signed = request(user, 'before the restart');
    const before = await carryOut(first.baseUrl, signed);
    await first.stop();

    const second = await startService({ dataDir, env: { DATABASE_URL: url } });
    expect(second.root).toEqual({ ...first.root, apiBaseUrl: second.baseUrl });
    expect(await carryOut(second.baseUrl, signed)).toEqual(before);
    await carryOut(second.baseUrl, request(user, 'after the restart'));
    await second.stop();
  });

  test('the database of another data directory is refused, with the reason, and stays as it is', async () => {
    const url = await addDatabase(postgres, 'shared');
    const owner = await startService({ dataDir: join(folder, 'owner'), env: { DATABASE_URL: url } });
    const user = await createUser(owner.baseUrl, owner.root);
    await owner.stop();

    const port = await freePort();
    const env = { PORT: String(port), COUNTERSIGN_DATA_DIR: join(folder, 'stranger'), DATABASE_URL: url };
    const stranger = launch({ env });
    await stranger.says('not ready: ');
    expect(stranger.output()).toMatch(/not ready: .*batch 1 in the database/);
    expect(await (await fetch(`http://127.0.0.1:${port}/health`)).json()).toMatchObject({
      status: 'unavailable',
      enclave: { phase: 'refusing', reason: expect.stringContaining('batch 1 in the database') },
    });
    stranger.signal('SIGTERM');
    await stranger.ended;

    const again = await startService({ dataDir: join(folder, 'owner'), env: { DATABASE_URL: url } });
    await carryOut(again.baseUrl, request(user, 'still mine'));
    await again.stop();
  });

  test.each(['SUPERUSER', 'IN ROLE pg_execute_server_program', 'IN ROLE pg_read_server_files'])(
    'a role with %s is refused',
    async (right) => {
      const url = await addDatabase(postgres, `powerful${right.replaceAll(/\W/g, '').toLowerCase()}`, right);
      const { code, output } = await run({
        env: { PORT: String(await freePort()), COUNTERSIGN_DATA_DIR: join(folder, 'refused'), DATABASE_URL: url },
      });
      expect(code).toBe(1);
      expect(output).toMatch(/^countersign: DATABASE_URL: the role ".*" is a (?:superuser|member of pg_)/m);
      expect(output).toMatch(/ALTER ROLE|REVOKE/);
    },
  );
});

const isRoot = process.getuid?.() === 0;
const strangersGroup = 65_534;

describe('api and enclave apart', () => {
  const meeting = join(folder, 'meeting');
  const socket = join(meeting, 'enclave.sock');
  const [enclaveDir, apiDir] = [join(folder, 'enclave-host'), join(folder, 'api-host')];
  let api: Launched;
  let enclave: Launched;
  let baseUrl: string;
  let root: RootFile;
  let user: User;
  let apiEnv: Record<string, string>;
  afterAll(() => {
    for (const one of [api, enclave]) one?.signal('SIGKILL');
  });

  /** Of api's uid alone, in a folder of the enclave's that api may pass through; whoever else tries is refused. */
  async function expectClosed(): Promise<void> {
    const at = statSync(meeting);
    const enclaveUid = statSync(join(enclaveDir, 'enclave')).uid;
    const apiUid = statSync(join(apiDir, 'cache')).uid;
    expect([at.uid, at.gid, at.mode & 0o7777]).toEqual([enclaveUid, apiUid, 0o710]);
    const found = () => statSync(socket, { throwIfNoEntry: false });
    await expect.poll(() => found()?.uid, { timeout: 30_000 }).toBe(apiUid);
    expect((found()?.mode ?? 0) & 0o777).toBe(0o600);
    expect(connectAs(65_534, strangersGroup)).toBe('EACCES');
    expect(connectAs(65_534, at.gid)).toBe('EACCES');
    expect(connectAs(at.uid, at.uid)).toBe('EACCES');
  }

  /** What a process of that uid and group gets when it connects. */
  function connectAs(uid: number, gid: number): string {
    const script = `require('node:net').connect(${JSON.stringify(socket)})
      .on('connect', () => { console.log('connected'); process.exit() }).on('error', ({ code }) => console.log(code))`;
    return spawnSync(process.execPath, ['-e', script], { uid, gid, encoding: 'utf8', cwd: '/' }).stdout.trim();
  }

  const enclaveEnv = {
    COUNTERSIGN_MODE: 'enclave',
    COUNTERSIGN_ENCLAVE_SOCKET: socket,
    COUNTERSIGN_DATA_DIR: enclaveDir,
  };

  beforeAll(async () => {
    chmodSync(folder, 0o711);
    // As root whatever group it had before counts for nothing.
    mkdirSync(meeting);
    if (isRoot) chownSync(meeting, 0, strangersGroup);
    chmodSync(meeting, 0o2770);
    const port = await freePort();
    baseUrl = `http://localhost:${port}`;
    apiEnv = {
      PORT: String(port),
      COUNTERSIGN_MODE: 'api',
      COUNTERSIGN_ENCLAVE_SOCKET: socket,
      COUNTERSIGN_DATA_DIR: apiDir,
      DATABASE_URL: await addDatabase(postgres, 'apart'),
    };
  });

  test('meet at a socket that nobody else may use', async () => {
    enclave = launch({ env: enclaveEnv });
    await enclave.says('the enclave listens');
    const shared = isRoot ? 0o600 : 0o660;
    await expect.poll(() => existsSync(socket) && statSync(socket).mode & 0o777, { timeout: 30_000 }).toBe(shared);
    if (isRoot) expect(connectAs(65_534, strangersGroup)).toBe('EACCES');
    api = launch({ env: apiEnv });
    await api.healthy();
    root = { ...JSON.parse(readFileSync(join(enclaveDir, 'root.json'), 'utf8')), apiBaseUrl: baseUrl } as RootFile;
    expect(root).not.toHaveProperty('databaseUrl');
    expect(existsSync(join(apiDir, 'root.json'))).toBe(false);
    expect(existsSync(join(apiDir, 'enclave', 'anchor'))).toBe(false);
    user = await createUser(baseUrl, root);
    await carryOut(baseUrl, request(user, 'first'));
  });

  test('the service is back after the end of api alone', async () => {
    const signed = request(user, 'before the end of api');
    const before = await carryOut(baseUrl, signed);
    api.signal('SIGTERM');
    expect(await api.ended).toBe(0);
    if (isRoot) await expectClosed();
    api = launch({ env: apiEnv });
    await api.healthy();
    expect(await carryOut(baseUrl, signed)).toEqual(before);
    await carryOut(baseUrl, request(user, 'after the end of api'));
  });

  test('the service is back after a kill of the enclave alone, and nothing is lost', async () => {
    const signed = request(user, 'before the kill');
    const before = await carryOut(baseUrl, signed);
    enclave.signal('SIGKILL');
    await enclave.ended;
    enclave = launch({ env: enclaveEnv });
    await healthyAgain(baseUrl);
    expect(await carryOut(baseUrl, signed)).toEqual(before);
    const after = await carryOut(baseUrl, request(user, 'after the kill'));
    expect(resultOf(after)).not.toEqual(resultOf(before));
    expect((await listActivities(baseUrl, user)).map(({ id }) => id)).toEqual(expect.arrayContaining([before.id]));
  });

  test.runIf(isRoot)('a folder that holds anything else is left alone', async () => {
    const busy = mkdtempSync(join(folder, 'busy-'));
    writeFileSync(join(busy, 'file'), 'of somebody else');
    const { code, output } = await run({
      env: {
        ...enclaveEnv,
        COUNTERSIGN_ENCLAVE_SOCKET: join(busy, 'socket'),
        COUNTERSIGN_DATA_DIR: join(folder, 'new'),
      },
    });
    expect(code).toBe(1);
    expect(output).toContain(`COUNTERSIGN_ENCLAVE_SOCKET: the folder ${busy} holds other things`);
    expect(statSync(busy)).toMatchObject({ uid: 0, gid: 0 });
  });

  test('SIGTERM ends both', async () => {
    const all = [...api.processes(), ...enclave.processes()];
    for (const one of [enclave, api]) one.signal('SIGTERM');
    expect(await Promise.all([api.ended, enclave.ended])).toEqual([0, 0]);
    expect(await leftOf(all, 5000)).toEqual([]);
  });
});
