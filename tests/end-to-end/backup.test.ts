/** A backup under load, and what becomes of it: restored elsewhere, altered, cut short, with a wrong passphrase. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort } from '../../src/cli/port.ts';
import { type Service, startService } from '../support/service.ts';
import { run } from './launch.ts';
import {
  ask,
  backendOf,
  carryOut,
  createUser,
  payloadOf,
  prepareActivity,
  prepareQuery,
  resultOf,
  send,
  signRawPayload,
  type User,
} from './requests.ts';

type Signature = { r: string; s: string; v: string };

const folder = mkdtempSync(join(tmpdir(), 'countersign-backup-'));
const passphrase = join(folder, 'passphrase');
const file = join(folder, 'backup');
let service: Service;
let user: User;
let address: string;
let signature: Signature;

const sign = (baseUrl: string, text: string, time?: number) =>
  carryOut(baseUrl, prepareActivity(user, signRawPayload, payloadOf(address, text), time));

beforeAll(async () => {
  writeFileSync(passphrase, 'a passphrase of the operator\n');
  service = await startService();
  user = await createUser(service.baseUrl, service.root, 'one');
  address = user.address;
  signature = resultOf(await sign(service.baseUrl, 'before'));

  let loading = true;
  let count = 0;
  const load = Array.from({ length: 6 }, async () => {
    while (loading) await sign(service.baseUrl, `load ${count++}`);
  });
  const { code, output } = await backup(file, '--passphrase-file', passphrase);
  loading = false;
  await Promise.all(load);
  expect(output).toMatch(/table activities: \d+ bytes/);
  expect(code).toBe(0);
  expect(count).toBeGreaterThan(20);
});
afterAll(async () => {
  await service?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const backup = (out: string, ...more: string[]) =>
  run({ args: ['backup', '--out', out, ...more], env: { COUNTERSIGN_DATA_DIR: service.dataDir } });

function restore(from: string, dataDir: string, ...more: string[]) {
  const args = ['restore', '--from', from, '--passphrase-file', passphrase, ...more];
  return run({ args, env: { COUNTERSIGN_DATA_DIR: dataDir } });
}

test('a backup is for its owner alone, overwrites nothing, and shows no key', async () => {
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const content = readFileSync(file);
  expect(content.includes(service.root.apiPrivateKey)).toBe(false);
  expect(content.includes(user.organizationId)).toBe(false);
  const again = await backup(file, '--passphrase-file', passphrase);
  expect(again.output).toContain('is not there yet');
  expect(readFileSync(file).equals(content)).toBe(true);
});

test('restored elsewhere it serves, in a new epoch, and signs with the same address', async () => {
  const dataDir = join(folder, 'elsewhere');
  const { code, output } = await restore(file, dataDir);
  expect(output).toContain('it begins a new epoch');
  expect(code).toBe(0);
  const other = await startService({ dataDir, port: await freePort() });
  try {
    const { enclave } = (await (await fetch(`${other.baseUrl}/health`)).json()) as { enclave: { checkpoint: string } };
    expect(enclave.checkpoint).toMatch(/^batch \d+ epoch 1$/m);
    expect(existsSync(join(dataDir, 'enclave', 'restored'))).toBe(false);
    const me = prepareQuery(backendOf(other.root), 'whoami');
    expect(await ask(other.baseUrl, me)).toMatchObject({ organizationId: service.root.organizationId });
    // What was stamped before could be something that the backup has forgotten having done.
    const request = (time: number) => prepareActivity(user, signRawPayload, payloadOf(address, 'before'), time);
    expect((await send(other.baseUrl, request(Date.now() - 60_000))).body).toMatchObject({
      message: expect.stringContaining('before the state was restored'),
    });
    const again = await carryOut(other.baseUrl, request(Date.now() + 299_000));
    expect(resultOf(again)).toEqual(signature);
  } finally {
    await other.stop();
  }
});

test('altered, cut short, with another passphrase or into a folder in use: refused before anything is written', async () => {
  const content = readFileSync(file);
  const target = join(folder, 'never');
  const refused = async (bytes: Buffer, what: string) => {
    const from = join(folder, 'altered');
    writeFileSync(from, bytes);
    const { code, output } = await restore(from, target);
    expect(output).toContain(what);
    expect(code).toBe(1);
    expect(existsSync(target)).toBe(false);
  };
  const flipped = Buffer.from(content);
  flipped[content.length - 100] = (flipped[content.length - 100] as number) ^ 1;
  await refused(flipped, 'was altered');
  await refused(content.subarray(0, content.length - 50), 'was altered or cut short');
  await refused(Buffer.from('no backup'), 'is not a backup of this version');
  const used = join(folder, 'used');
  mkdirSync(used);
  writeFileSync(join(used, 'something'), '');
  expect((await restore(file, used)).output).toContain('is not empty');
  expect(readdirSync(used)).toEqual(['something']);
  writeFileSync(passphrase, 'another passphrase\n');
  await refused(content, 'the passphrase is wrong');
});
