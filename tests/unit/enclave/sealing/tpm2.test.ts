import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SealedRoot } from '../../../../src/enclave/sealing/provider.ts';
import { SealingError } from '../../../../src/enclave/sealing/provider.ts';
import { openRootKey, prepareUpgrade } from '../../../../src/enclave/sealing/root-key.ts';
import { createSealing, readSealing, sealingPath } from '../../../../src/enclave/sealing/sealing-file.ts';
import { codeDigest, tpm2 } from '../../../../src/enclave/sealing/tpm2.ts';
import { openTpm } from '../../../../src/enclave/tpm/client.ts';
import { extendPcr } from '../../../../src/enclave/tpm/pcr.ts';
import { hasSwtpm, type SoftwareTpm, startSwtpm } from '../../../support/swtpm.ts';

const rootKey = randomBytes(32);
const ours = Buffer.alloc(32, 1);

async function measure(socket: string, digest: Buffer): Promise<void> {
  const tpm = await openTpm(socket);
  await extendPcr(tpm, 11, digest);
  await tpm.close();
}

describe.skipIf(!hasSwtpm)('tpm2 (needs swtpm)', () => {
  let tpm: SoftwareTpm;
  let sealed: SealedRoot;
  beforeAll(async () => {
    tpm = await startSwtpm();
    await measure(tpm.socket, ours);
    sealed = await tpm2(tpm.socket).seal(rootKey);
  });
  afterAll(() => tpm.remove());

  const refusal = (of: SealedRoot = sealed) =>
    tpm2(tpm.socket)
      .unseal(of)
      .then(
        () => 'opened',
        (error: unknown) => {
          expect(error).toBeInstanceOf(SealingError);
          return (error as Error).message;
        },
      );

  test('the root key opens, again and again, and nothing is left in the TPM', async () => {
    for (let time = 0; time < 5; time++) expect(await tpm2(tpm.socket).unseal(sealed)).toEqual(rootKey);
  });

  test('nothing of it lies in the file', () => {
    for (const value of Object.values(sealed)) {
      if (value instanceof Uint8Array) expect(Buffer.from(value).includes(rootKey.subarray(0, 8))).toBe(false);
    }
  });

  test('it opens after a restart, once the same code is measured, and to no other code', async () => {
    await tpm.restart();
    expect(await refusal()).toMatch(/register 11 held [0-9a-f]{64} when it was sealed and holds 0{64}.*0x99d/);
    await measure(tpm.socket, ours);
    expect(await tpm2(tpm.socket).unseal(sealed)).toEqual(rootKey);
    await measure(tpm.socket, Buffer.alloc(32, 2));
    const reason = await refusal();
    expect(reason).toContain('other code was started: register 11 held');
    expect(reason).toContain('0x99d');
    await tpm.restart();
    await measure(tpm.socket, ours);
    expect(await tpm2(tpm.socket).unseal(sealed)).toEqual(rootKey);
  });

  test('another TPM does not open it, nor does this one once cleared', async () => {
    const other = await startSwtpm();
    await measure(other.socket, ours);
    await expect(tpm2(other.socket).unseal(sealed)).rejects.toThrow('this TPM did not make it');
    // With the key from a backup it goes on there.
    expect(await tpm2(other.socket).unseal(await tpm2(other.socket).seal(rootKey, sealed))).toEqual(rootKey);
    await other.remove();
  });

  test('a sealing that is altered anywhere is refused', async () => {
    for (const name of ['privateArea', 'publicArea'] as const) {
      const whole = Buffer.from(sealed[name] as Uint8Array);
      for (let at = 0; at < whole.length; at += 7) {
        const altered = Buffer.from(whole);
        altered[at] = (altered[at] as number) ^ 1;
        expect(await refusal({ ...sealed, [name]: altered })).not.toBe('opened');
      }
      expect(await refusal({ ...sealed, [name]: whole.subarray(1) })).not.toBe('opened');
    }
    for (const change of [
      { generation: (sealed.generation as number) + 1 },
      { index: (sealed.index as number) ^ 1 },
      { registers: [7] },
      { registers: [] },
    ]) {
      expect(await refusal({ ...sealed, ...change })).not.toBe('opened');
    }
    for (const change of [
      { privateArea: null },
      { generation: '1' },
      { registers: [24] },
      { registers: 11 },
      { index: 0x81000000 },
    ]) {
      expect(await refusal({ ...sealed, ...change })).toContain('restore it from the backup');
    }
  });

  test('a rotation makes older sealings worthless, when it is told to and not before', async () => {
    const provider = tpm2(tpm.socket);
    const first = await provider.seal(rootKey);
    const second = await provider.seal(rootKey, first);
    expect(await provider.unseal(first)).toEqual(rootKey);
    expect(await provider.unseal(second)).toEqual(rootKey);
    await provider.retireOlder?.(rootKey, second);
    await provider.retireOlder?.(rootKey, second);
    expect(await provider.unseal(second)).toEqual(rootKey);
    expect(await refusal(first)).toContain('a rotation made this sealing worthless');
    // The number in the file is not what decides.
    expect(await refusal({ ...first, generation: second.generation as number })).not.toBe('opened');
    // Another installation on the same TPM is not touched.
    expect(await provider.unseal(sealed)).toEqual(rootKey);
  });

  test('an upgrade seals for the next code, and ends the sealing for the present one when it has started', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'countersign-upgrade-'));
    const machine = await startSwtpm();
    const provider = tpm2(machine.socket);
    const [present, next] = [Buffer.alloc(48, 1), Buffer.alloc(48, 2)];
    const start = async () => {
      const { rootKey: opened, settle } = await openRootKey(folder, provider);
      await settle();
      return opened;
    };
    await measure(machine.socket, codeDigest(present));
    createSealing(folder, { provider: 'tpm2', sealed: await provider.seal(rootKey) });
    await prepareUpgrade(folder, provider, next);
    // Not installed yet.
    expect(await start()).toEqual(rootKey);
    expect(await start()).toEqual(rootKey);
    await machine.restart();
    await measure(machine.socket, codeDigest(Buffer.alloc(48, 3)));
    await expect(start()).rejects.toThrow('other code was started');
    await machine.restart();
    await measure(machine.socket, codeDigest(next));
    const older = readSealing(sealingPath(folder))?.sealed as SealedRoot;
    expect(await start()).toEqual(rootKey);
    expect(await start()).toEqual(rootKey);
    await machine.restart();
    await measure(machine.socket, codeDigest(present));
    await expect(start()).rejects.toThrow('other code was started');
    await expect(provider.unseal(older)).rejects.toThrow('a rotation made this sealing worthless');
    await machine.remove();
    rmSync(folder, { recursive: true });
  });

  test('only who has the root key can raise the counter', async () => {
    const provider = tpm2(tpm.socket);
    const next = { ...(await provider.seal(rootKey, sealed)) };
    await expect(provider.retireOlder?.(randomBytes(32), next)).rejects.toThrow(SealingError);
    expect(await provider.unseal(sealed)).toEqual(rootKey);
  });

  test('it is not sealed where nothing was measured', async () => {
    const blank = await startSwtpm();
    await expect(tpm2(blank.socket).seal(rootKey)).rejects.toThrow('register 11 of the TPM holds no measurement');
    await blank.remove();
    await expect(tpm2(tpm.socket, [7]).seal(rootKey)).rejects.toThrow('keep 11 in COUNTERSIGN_TPM_PCRS');
  });
});

test.each([
  [undefined, 'COUNTERSIGN_TPM: expected the path'],
  ['/nowhere/tpm', 'COUNTERSIGN_TPM: there is no TPM to use at /nowhere/tpm (ENOENT)'],
])('without a TPM (%s) it says what to set', async (path, message) => {
  await expect(tpm2(path).seal(rootKey)).rejects.toThrow(SealingError);
  await expect(tpm2(path).unseal({})).rejects.toThrow(message);
});
