/** Whoever holds the disk, the folder of the enclave, or its environment, but not what the root key is sealed with. */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { dstack } from '../../src/enclave/sealing/dstack.ts';
import { localFile } from '../../src/enclave/sealing/local-file.ts';
import { prepareMove, rotateSealing } from '../../src/enclave/sealing/root-key.ts';
import {
  createSealing,
  nextSealingPath,
  sealingPath,
  writeNextSealing,
} from '../../src/enclave/sealing/sealing-file.ts';
import { tpm2 } from '../../src/enclave/sealing/tpm2.ts';
import { openTpm } from '../../src/enclave/tpm/client.ts';
import { extendPcr } from '../../src/enclave/tpm/pcr.ts';
import { type DstackAgent, startDstackAgent } from '../support/dstack-agent.ts';
import { enclaveFolder, startEnclave } from '../support/enclave-process.ts';
import { createMemoryStorage, type MemoryStorage } from '../support/memory-storage.ts';
import { createResident, type Resident, sign } from '../support/resident.ts';
import { rootKeyOf } from '../support/root-key.ts';
import { hasSwtpm, type SoftwareTpm, startSwtpm } from '../support/swtpm.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A copy of the folder, for the attacker to change. */
function stolen(folder: string): string {
  const copy = mkdtempSync(join(tmpdir(), 'countersign-stolen-'));
  folders.push(copy);
  cpSync(folder, copy, { recursive: true });
  return copy;
}

/** How a start on `folder` ends: `opened`, or why it is refused. */
async function outcome(folder: string, storage: MemoryStorage, settings: NodeJS.ProcessEnv): Promise<string> {
  const enclave = startEnclave(folder, storage, settings);
  const ended = await enclave.opened.then(
    () => 'opened',
    (error: Error) => error.message,
  );
  enclave.stop();
  return ended;
}

async function measure(socket: string, code: number): Promise<void> {
  const tpm = await openTpm(socket);
  await extendPcr(tpm, 11, Buffer.alloc(32, code));
  await tpm.close();
}

describe.skipIf(!hasSwtpm)('sealed with tpm2 (needs swtpm)', () => {
  const storage = createMemoryStorage();
  const { folder, parent, remove } = enclaveFolder();
  let tpm: SoftwareTpm;
  let alice: Resident;
  const settings = () => ({ COUNTERSIGN_SEALING: 'tpm2', COUNTERSIGN_TPM: tpm.socket });

  beforeAll(async () => {
    tpm = await startSwtpm();
    await measure(tpm.socket, 1);
    const enclave = startEnclave(folder, storage, settings());
    await enclave.serving();
    alice = await createResident(enclave.wire, parent, 'Alice');
    enclave.stop();
  });
  afterAll(async () => {
    await tpm?.remove();
    remove();
  });

  test('it starts and signs: what is refused below would be', async () => {
    const enclave = startEnclave(folder, storage, settings());
    await enclave.serving();
    expect((await sign(enclave.wire, alice.byPasskey, alice.addresses[0])).status).toBe(200);
    enclave.stop();
  });

  test('a stolen disk does not open without the TPM, nor with another', async () => {
    const disk = stolen(folder);
    expect(await outcome(disk, storage, { ...settings(), COUNTERSIGN_TPM: '/nowhere' })).toContain('there is no TPM');
    const other = await startSwtpm();
    await measure(other.socket, 1);
    expect(await outcome(disk, storage, { ...settings(), COUNTERSIGN_TPM: other.socket })).toContain(
      'this TPM did not make it',
    );
    await other.remove();
  });

  test('altered code does not open it, on the right machine', async () => {
    await tpm.restart();
    await measure(tpm.socket, 2);
    expect(await outcome(folder, storage, settings())).toMatch(/other code was started.*0x99d/);
    await tpm.restart();
    expect(await outcome(folder, storage, settings())).toMatch(/other code was started.*0x99d/);
    await measure(tpm.socket, 1);
    expect(await outcome(folder, storage, settings())).toBe('opened');
  });

  test('a provider named in the environment does not make the key come out, nor a new one', async () => {
    for (const sealing of ['local-file', 'dstack', 'quorum-shares', 'nitro-kms']) {
      const disk = stolen(folder);
      expect(await outcome(disk, storage, { COUNTERSIGN_SEALING: sealing })).toContain(
        `is sealed with tpm2, but COUNTERSIGN_SEALING says ${sealing}`,
      );
      expect(readFileSync(sealingPath(disk))).toEqual(readFileSync(sealingPath(folder)));
    }
  });

  test('a key of the attacker, in the place of the sealed one or beside it, does not open what is there', async () => {
    const own = { provider: 'local-file', sealed: await localFile.seal(randomBytes(32)) } as const;
    const beside = stolen(folder);
    writeNextSealing(beside, own);
    expect(await outcome(beside, storage, {})).toContain('neither slot can be read with this sealing key');
    // And nothing was given up for it.
    expect(readFileSync(sealingPath(beside))).toEqual(readFileSync(sealingPath(folder)));
    rmSync(nextSealingPath(beside));
    expect(await outcome(beside, storage, settings())).toBe('opened');

    const instead = stolen(folder);
    rmSync(sealingPath(instead));
    createSealing(instead, own);
    expect(await outcome(instead, storage, {})).toContain('neither slot can be read with this sealing key');
  });

  test('without its sealing the folder is not taken for a new one, whatever else is removed with it', async () => {
    const disk = stolen(folder);
    rmSync(sealingPath(disk));
    for (const sealing of [settings(), {}]) {
      expect(await outcome(disk, storage, sealing)).toContain('holds an anchor but no sealed root key');
    }
    // Nothing left at all: a new root key, to which the database is a stranger's.
    for (const name of readdirSync(disk)) rmSync(join(disk, name), { recursive: true });
    const enclave = startEnclave(disk, storage, {});
    expect(await enclave.refusal()).toContain('accept-state');
    enclave.stop();
  });

  test('a rotation makes the sealing worthless that was stolen before, even with the code of that time', async () => {
    const disk = stolen(folder);
    await rotateSealing(folder, tpm2(tpm.socket));
    expect(await outcome(folder, storage, settings())).toBe('opened');
    expect(await outcome(disk, storage, settings())).toContain('a rotation made this sealing worthless');
    await tpm.restart();
    await measure(tpm.socket, 1);
    expect(await outcome(disk, storage, settings())).toContain('a rotation made this sealing worthless');
    expect(await outcome(folder, storage, settings())).toBe('opened');
  });

  test('the file of another installation on the same TPM opens nothing here', async () => {
    const other = enclaveFolder();
    expect(await outcome(other.folder, createMemoryStorage(), settings())).toBe('opened');
    const swapped = stolen(folder);
    writeFileSync(sealingPath(swapped), readFileSync(sealingPath(other.folder)));
    expect(await outcome(swapped, storage, settings())).toContain('neither slot can be read with this sealing key');
    other.remove();
  });

  test('whoever can only run the program gets no key out', () => {
    const job = join(import.meta.dirname, '../../src/enclave/sealing/job.ts');
    const task = { task: 'move', to: 'local-file', dryRun: false, backup: null, fromBackup: false };
    const env = { COUNTERSIGN_ENCLAVE_DIR: folder, ...settings(), COUNTERSIGN_DSTACK_SOCKET: '/of/the/thief' };
    // Nor to a place of their own.
    for (const to of ['local-file', 'dstack', 'quorum-shares', 'nitro-kms']) {
      const input = JSON.stringify({ ...task, to });
      const { stdout } = spawnSync(process.execPath, [job], { env, input, encoding: 'utf8' });
      expect(JSON.parse(stdout).error).toContain('the key is not taken out of tpm2');
    }
    expect(readdirSync(folder)).not.toContain('sealing.next');
    const otherKey = Buffer.from('a2617601', 'hex').toString('base64');
    const forged = { ...task, backup: otherKey, fromBackup: true };
    const refused = spawnSync(process.execPath, [job], { env, input: JSON.stringify(forged), encoding: 'utf8' });
    expect(JSON.parse(refused.stdout).error).toContain('the backup is no sealing file of local-file');
  });
});

describe('sealed with dstack', () => {
  let agent: DstackAgent;
  const { folder, remove } = enclaveFolder();
  const storage = createMemoryStorage();
  const settings = () => ({ COUNTERSIGN_SEALING: 'dstack', COUNTERSIGN_DSTACK_SOCKET: agent.socket });
  beforeAll(async () => {
    agent = await startDstackAgent('application');
    expect(await outcome(folder, storage, settings())).toBe('opened');
  });
  afterAll(async () => {
    await agent.stop();
    remove();
  });

  test('a stolen disk does not open in another application, nor without an agent', async () => {
    const other = await startDstackAgent('application of the thief');
    const theirs = { ...settings(), COUNTERSIGN_DSTACK_SOCKET: other.socket };
    expect(await outcome(stolen(folder), storage, theirs)).toContain('another app id');
    await other.stop();
    expect(await outcome(stolen(folder), storage, theirs)).toContain('cannot be asked');
    expect(await outcome(folder, storage, settings())).toBe('opened');
  });

  test('the sealing of one installation opens nothing in another of the same application', async () => {
    const other = enclaveFolder();
    expect(await outcome(other.folder, createMemoryStorage(), settings())).toBe('opened');
    const swapped = stolen(folder);
    writeFileSync(sealingPath(swapped), readFileSync(sealingPath(other.folder)));
    expect(await outcome(swapped, storage, settings())).toContain('neither slot can be read with this sealing key');
    other.remove();
  });
});

describe('a move from local-file', () => {
  test('leaves no key in clear in the folder', async () => {
    const agent = await startDstackAgent('application');
    const { folder, remove } = enclaveFolder();
    const storage = createMemoryStorage();
    expect(await outcome(folder, storage, {})).toBe('opened');
    const rootKey = rootKeyOf(folder);
    await prepareMove(folder, dstack(agent.socket), Buffer.from(rootKey));
    const settings = { COUNTERSIGN_SEALING: 'dstack', COUNTERSIGN_DSTACK_SOCKET: agent.socket };
    expect(await outcome(folder, storage, settings)).toBe('opened');
    for (const name of readdirSync(folder, { recursive: true }) as string[]) {
      const path = join(folder, name);
      if (statSync(path).isFile()) expect(readFileSync(path).includes(rootKey)).toBe(false);
    }
    expect(await outcome(folder, storage, {})).toContain(
      'is sealed with dstack, but COUNTERSIGN_SEALING says local-file',
    );
    await agent.stop();
    remove();
  });
});
