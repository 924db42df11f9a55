/** `countersign seal`, as an operator runs it: confined like the enclave, with the real sockets. */
import { randomBytes } from 'node:crypto';
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { localFile } from '../../src/enclave/sealing/local-file.ts';
import { createSealing, nextSealingPath, readSealing, sealingPath } from '../../src/enclave/sealing/sealing-file.ts';
import { type DstackAgent, startDstackAgent } from '../support/dstack-agent.ts';
import { type Service, startService } from '../support/service.ts';
import { hasSwtpm, type SoftwareTpm, startSwtpm } from '../support/swtpm.ts';
import { launch } from './launch.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'countersign-seal-'));
const folder = join(dataDir, 'enclave');
const backup = join(dataDir, 'backup');
const rootKey = randomBytes(32);
let agent: DstackAgent;

beforeAll(async () => {
  mkdirSync(folder, { mode: 0o700 });
  createSealing(folder, { provider: 'local-file', sealed: await localFile.seal(rootKey) });
  copyFileSync(sealingPath(folder), backup);
  chmodSync(dataDir, 0o711);
  agent = await startDstackAgent('application');
  chmodSync(dirname(agent.socket), 0o755);
  chmodSync(agent.socket, 0o666);
});
afterAll(async () => {
  await agent.stop();
  rmSync(dataDir, { recursive: true });
});

/** What it says, and whether it did it. */
async function seal(env: Readonly<Record<string, string>>, ...args: string[]): Promise<string> {
  const places = { COUNTERSIGN_DATA_DIR: dataDir, COUNTERSIGN_DSTACK_SOCKET: agent.socket };
  const command = launch({ args: ['seal', ...args], env: { ...places, ...env } });
  const code = await command.ended;
  return `${code} ${command.output()}`;
}

test('a move from local-file to dstack, step by step', async () => {
  expect(await seal({}, 'move', '--to', 'dstack')).toMatch(/^1 .*expected one of --backup <file>, --no-backup/s);

  const other = join(dataDir, 'other');
  mkdirSync(other);
  createSealing(other, { provider: 'local-file', sealed: await localFile.seal(randomBytes(32)) });
  const wrong = ['move', '--to', 'dstack', '--backup', sealingPath(other)];
  expect(await seal({}, ...wrong)).toMatch(/^1 .*holds another root key/s);

  const move = ['move', '--to', 'dstack', '--backup', backup];
  expect(await seal({}, ...move, '--dry-run')).toContain(
    '0 dstack seals the root key and opens it again; nothing was changed',
  );
  expect(existsSync(nextSealingPath(folder))).toBe(false);
  const gone = { COUNTERSIGN_DSTACK_SOCKET: '/nowhere' };
  expect(await seal(gone, ...move)).toMatch(/^1 .*COUNTERSIGN_DSTACK_SOCKET: \/nowhere cannot be used \(ENOENT\)/s);
  expect(existsSync(nextSealingPath(folder))).toBe(false);

  expect(await seal({}, ...move)).toMatch(/^0 .*to finish: set COUNTERSIGN_SEALING=dstack and restart/s);
  expect(readSealing(nextSealingPath(folder))?.provider).toBe('dstack');
  expect(readFileSync(sealingPath(folder))).toEqual(readFileSync(backup));
  expect(await seal({}, 'status')).toMatch(/sealed with local-file.*a sealing with dstack is prepared/s);
  expect(await seal({}, 'rotate')).toMatch(/^1 .*a move to dstack is prepared/s);
});

test('what was not meant is refused with the usage', async () => {
  expect(await seal({}, 'mvoe')).toMatch(
    /^1 .*expected status, move, rotate or upgrade, got mvoe.*usage: countersign seal/s,
  );
  expect(await seal({}, 'move', '--to', 'sgx')).toMatch(/^1 .*--to: expected one of local-file/s);
});

describe.skipIf(!hasSwtpm)('a service sealed with tpm2 (needs swtpm)', () => {
  let tpm: SoftwareTpm;
  let service: Service;
  beforeAll(async () => {
    tpm = await startSwtpm();
    chmodSync(dirname(tpm.socket), 0o755);
    chmodSync(tpm.socket, 0o666);
    service = await startService({ env: { COUNTERSIGN_SEALING: 'tpm2', COUNTERSIGN_TPM: tpm.socket } });
  });
  afterAll(async () => {
    await service?.stop();
    await tpm?.remove();
  });

  test('starts with a key that only the TPM opens, quotes its code, and seals it anew while it runs', async () => {
    const own = join(service.dataDir, 'enclave');
    const first = readFileSync(sealingPath(own));
    expect(readSealing(sealingPath(own))?.provider).toBe('tpm2');
    const { evidence } = (await (await fetch(`${service.baseUrl}/attestation`)).json()) as {
      evidence: { platform: string };
    };
    expect(evidence.platform).toBe('tpm2');

    const settings = {
      COUNTERSIGN_DATA_DIR: service.dataDir,
      COUNTERSIGN_SEALING: 'tpm2',
      COUNTERSIGN_TPM: tpm.socket,
    };
    expect(await seal(settings, 'rotate')).toContain('0 the root key is sealed anew with tpm2, and opens');
    expect(readFileSync(sealingPath(own))).not.toEqual(first);
    expect((await fetch(`${service.baseUrl}/health`)).status).toBe(200);
  });
});
