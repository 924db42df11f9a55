import { randomBytes } from 'node:crypto';
import { existsSync, linkSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { localFile } from '../../../../src/enclave/sealing/local-file.ts';
import { SealingError } from '../../../../src/enclave/sealing/provider.ts';
import { openRootKey } from '../../../../src/enclave/sealing/root-key.ts';
import {
  createSealing,
  discardSealing,
  nextSealingPath,
  promoteNextSealing,
  readSealing,
  sealingPath,
  writeNextSealing,
} from '../../../../src/enclave/sealing/sealing-file.ts';
import { encode } from '../../../../src/protocol/cbor.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'countersign-sealing-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const rootKey = randomBytes(32);
const create = async () => createSealing(folder, { provider: 'local-file', sealed: await localFile.seal(rootKey) });
const open = async () => (await openRootKey(folder, localFile)).rootKey;

test('a root key is made once and comes back', async () => {
  expect(readSealing(sealingPath(folder))).toBeNull();
  await create();
  expect(await open()).toEqual(rootKey);
  await expect(create()).rejects.toThrow('EEXIST');
  expect(await open()).toEqual(rootKey);
});

test('nobody else can read the file, and nothing is left beside it', async () => {
  await create();
  expect(statSync(sealingPath(folder)).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder)).toEqual(['sealing']);
});

test('the next sealing takes the place of the one in force, and a key in clear is overwritten before', async () => {
  await create();
  // A second name for the same blocks of the disk.
  const blocks = join(folder, 'blocks');
  linkSync(sealingPath(folder), blocks);
  writeNextSealing(folder, { provider: 'tpm2', sealed: { blob: Buffer.from('blob') } });
  expect(await open()).toEqual(rootKey);
  expect(statSync(nextSealingPath(folder)).mode & 0o777).toBe(0o600);
  promoteNextSealing(folder);
  expect(existsSync(nextSealingPath(folder))).toBe(false);
  expect(readSealing(sealingPath(folder))?.provider).toBe('tpm2');
  expect(readFileSync(blocks).every((byte) => byte === 0)).toBe(true);
  expect(readdirSync(folder).sort()).toEqual(['blocks', 'sealing']);
});

const known = 'expected version 1 of local-file, quorum-shares, tpm2, dstack, nitro-kms';
test.each([
  ['an unknown version', encode({ v: 2, provider: 'local-file', rootKey }), `unknown format local-file/2, ${known}`],
  ['an unknown provider', encode({ v: 1, provider: 'sgx', rootKey }), `unknown format sgx/1, ${known}`],
  [
    'another provider',
    encode({ v: 1, provider: 'tpm2', rootKey }),
    'COUNTERSIGN_SEALING says local-file: set it to tpm2',
  ],
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
])('%s is refused with what to do', async (_, content, message) => {
  writeFileSync(sealingPath(folder), content);
  await expect(open()).rejects.toThrow(SealingError);
  await expect(open()).rejects.toThrow(message);
});

test('a file cut short anywhere is refused, without a word of the key', async () => {
  await create();
  const whole = readFileSync(sealingPath(folder));
  for (let size = 0; size < whole.length; size++) {
    writeFileSync(sealingPath(folder), whole.subarray(0, size));
    const refusal: unknown = await open().catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(SealingError);
    expect((refusal as Error).message).not.toContain(rootKey.toString('hex').slice(0, 8));
  }
});

test('what an interrupted creation left is never overwritten, only discarded', async () => {
  writeFileSync(sealingPath(folder), 'half');
  await expect(create()).rejects.toThrow('EEXIST');
  discardSealing(folder);
  expect(readSealing(sealingPath(folder))).toBeNull();
  discardSealing(folder);
  await create();
  expect(await open()).toEqual(rootKey);
});
