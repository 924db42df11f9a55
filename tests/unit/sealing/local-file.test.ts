import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { localFileSealing } from '../../../src/enclave/sealing/local-file.ts';
import { SealingError } from '../../../src/enclave/sealing/provider.ts';
import { encode } from '../../../src/protocol/cbor.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'countersign-sealing-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const rootKey = randomBytes(32);

test('a root key is made once and comes back', () => {
  const sealing = localFileSealing(folder);
  expect(sealing.exists()).toBe(false);
  sealing.create(rootKey);
  expect(sealing.exists()).toBe(true);
  expect(localFileSealing(folder).unseal()).toEqual(rootKey);
  expect(() => sealing.create(randomBytes(32))).toThrow('EEXIST');
  expect(sealing.unseal()).toEqual(rootKey);
});

test('nobody else can read the file, and nothing is left beside it', () => {
  localFileSealing(folder).create(rootKey);
  expect(statSync(join(folder, 'sealing')).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder)).toEqual(['sealing']);
});

test.each([
  [
    'an unknown version',
    encode({ v: 2, provider: 'local-file', rootKey }),
    'unknown format local-file/2, expected local-file/1',
  ],
  ['another provider', encode({ v: 1, provider: 'tpm2', rootKey }), 'unknown format tpm2/1, expected local-file/1'],
  [
    'a key of another size',
    encode({ v: 1, provider: 'local-file', rootKey: rootKey.subarray(1) }),
    'no root key of 32 bytes',
  ],
  ['a key that is text', encode({ v: 1, provider: 'local-file', rootKey: 'a'.repeat(32) }), 'no root key of 32 bytes'],
  ['no key', encode({ v: 1, provider: 'local-file' }), 'no root key of 32 bytes'],
  ['null', encode(null), 'unknown format undefined/undefined'],
  ['no CBOR', Buffer.from('{}'), 'cannot be read'],
  ['nothing', Buffer.alloc(0), 'cannot be read'],
])('%s is refused with what to do', (_, content, message) => {
  writeFileSync(join(folder, 'sealing'), content);
  const unseal = () => localFileSealing(folder).unseal();
  expect(unseal).toThrow(SealingError);
  expect(unseal).toThrow(message);
});

test('a file cut short anywhere is refused, without a word of the key', () => {
  localFileSealing(folder).create(rootKey);
  const whole = readFileSync(join(folder, 'sealing'));
  for (let size = 0; size < whole.length; size++) {
    writeFileSync(join(folder, 'sealing'), whole.subarray(0, size));
    try {
      localFileSealing(folder).unseal();
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(SealingError);
      expect((error as Error).message).not.toContain(rootKey.toString('hex').slice(0, 8));
    }
  }
});

test('what an interrupted creation left is never overwritten, only discarded', () => {
  writeFileSync(join(folder, 'sealing'), 'half');
  const sealing = localFileSealing(folder);
  expect(() => sealing.create(rootKey)).toThrow('EEXIST');
  sealing.discard();
  expect(sealing.exists()).toBe(false);
  sealing.discard();
  sealing.create(rootKey);
  expect(sealing.unseal()).toEqual(rootKey);
});
