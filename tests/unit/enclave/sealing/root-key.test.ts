import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { localFile } from '../../../../src/enclave/sealing/local-file.ts';
import { SealingError, type SealingProvider } from '../../../../src/enclave/sealing/provider.ts';
import {
  isSealed,
  openRootKey,
  prepareMove,
  rotateSealing,
  sealAndCheck,
} from '../../../../src/enclave/sealing/root-key.ts';
import {
  createSealing,
  nextSealingPath,
  readSealing,
  sealingPath,
  writeNextSealing,
} from '../../../../src/enclave/sealing/sealing-file.ts';

/** A provider whose sealings are numbered, and die when it is told to; it can be made to fail at any call. */
function countedProvider() {
  let secrets: { key: Buffer; number: number }[] = [];
  let count = 0;
  let callsUntilCrash = Number.POSITIVE_INFINITY;
  const step = () => {
    if (callsUntilCrash-- <= 0) throw new Error('crash');
  };
  const provider: SealingProvider = {
    name: 'tpm2',
    async seal(rootKey) {
      step();
      secrets.push({ key: Buffer.from(rootKey), number: ++count });
      return { number: count };
    },
    async unseal({ number }) {
      step();
      const found = secrets.find((secret) => secret.number === number);
      if (!found) throw new SealingError('worthless');
      return Buffer.from(found.key);
    },
    async retireOlder(_, { number }) {
      step();
      secrets = secrets.filter((secret) => secret.number >= (number as number));
    },
  };
  return {
    provider,
    crashAfter(calls: number) {
      callsUntilCrash = calls;
    },
  };
}

const rootKey = randomBytes(32);
let folder: string;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'countersign-root-key-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function start(provider: SealingProvider): Promise<Buffer> {
  const opened = await openRootKey(folder, provider);
  await opened.settle();
  return opened.rootKey;
}

describe('a move', () => {
  beforeEach(async () => createSealing(folder, { provider: 'local-file', sealed: await localFile.seal(rootKey) }));

  test('takes effect at the start with the new setting; until then the old one works', async () => {
    const { provider } = countedProvider();
    const given = Buffer.from(rootKey);
    await prepareMove(folder, provider, given);
    expect(given.every((byte) => byte === 0)).toBe(true);
    expect(await start(localFile)).toEqual(rootKey);
    expect(existsSync(nextSealingPath(folder))).toBe(true);
    // Opened, but not known to be this installation's: nothing is given up for it.
    await openRootKey(folder, provider);
    expect(await start(localFile)).toEqual(rootKey);
    expect(await start(provider)).toEqual(rootKey);
    expect(existsSync(nextSealingPath(folder))).toBe(false);
    expect(readSealing(sealingPath(folder))?.provider).toBe('tpm2');
    expect(await start(provider)).toEqual(rootKey);
    await expect(start(localFile)).rejects.toThrow('is sealed with tpm2, but COUNTERSIGN_SEALING says local-file');
  });

  test('is not prepared to a provider that gives another key back', async () => {
    const forgetful: SealingProvider = { ...countedProvider().provider, unseal: async () => randomBytes(32) };
    await expect(prepareMove(folder, forgetful, Buffer.from(rootKey))).rejects.toThrow('gave back another key');
    expect(existsSync(nextSealingPath(folder))).toBe(false);
  });

  test('that was not prepared is refused, by name', async () => {
    const { provider } = countedProvider();
    await expect(start(provider)).rejects.toThrow(
      'is sealed with local-file, but COUNTERSIGN_SEALING says tpm2: set it to local-file, or move the key with `countersign seal move --to tpm2`',
    );
    expect(await start(localFile)).toEqual(rootKey);
  });

  test('that was cut short leaves what works', async () => {
    writeFileSync(`${nextSealingPath(folder)}.tmp`, 'half');
    expect(await start(localFile)).toEqual(rootKey);
    expect(isSealed(folder)).toBe(true);
  });
});

describe('a rotation', () => {
  test('makes the older sealing worthless', async () => {
    const { provider } = countedProvider();
    createSealing(folder, { provider: 'tpm2', sealed: await sealAndCheck(provider, rootKey) });
    const older = readFileSync(sealingPath(folder));
    await rotateSealing(folder, provider);
    expect(await start(provider)).toEqual(rootKey);
    writeFileSync(sealingPath(folder), older);
    await expect(start(provider)).rejects.toThrow('worthless');
  });

  test('cut short anywhere leaves a key that opens', async () => {
    for (let calls = 0; ; calls++) {
      rmSync(sealingPath(folder), { force: true });
      rmSync(nextSealingPath(folder), { force: true });
      const { provider, crashAfter } = countedProvider();
      createSealing(folder, { provider: 'tpm2', sealed: await sealAndCheck(provider, rootKey) });
      crashAfter(calls);
      const isDone = await rotateSealing(folder, provider).then(
        () => true,
        () => false,
      );
      crashAfter(Number.POSITIVE_INFINITY);
      expect(await start(provider)).toEqual(rootKey);
      expect(await start(provider)).toEqual(rootKey);
      await rotateSealing(folder, provider);
      expect(await start(provider)).toEqual(rootKey);
      if (isDone) {
        expect(calls).toBeGreaterThan(3);
        return;
      }
    }
  });

  test('cut short after the older sealing died, before the newer took its place, is made good at the next start', async () => {
    const { provider } = countedProvider();
    const first = await sealAndCheck(provider, rootKey);
    createSealing(folder, { provider: 'tpm2', sealed: first });
    const second = await provider.seal(rootKey, first);
    writeNextSealing(folder, { provider: 'tpm2', sealed: second });
    await provider.retireOlder?.(rootKey, second);
    expect(await start(provider)).toEqual(rootKey);
    expect(readSealing(sealingPath(folder))?.sealed).toEqual(second);
  });

  test('does not throw a prepared move away', async () => {
    createSealing(folder, { provider: 'local-file', sealed: await localFile.seal(rootKey) });
    await prepareMove(folder, countedProvider().provider, Buffer.from(rootKey));
    await expect(rotateSealing(folder, localFile)).rejects.toThrow('a move to tpm2 is prepared');
  });
});
