/** A first start that is cut off: before its anchor is there it is done again, afterwards it is as good as done. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { enclaveFolder, ordersDone, startEnclave } from '../../support/enclave-process.ts';
import { createMemoryStorage } from '../../support/memory-storage.ts';

test('with a torn sealing file and no anchor it is done again', async () => {
  const { folder, remove } = enclaveFolder();
  writeFileSync(join(folder, 'first-start'), '');
  writeFileSync(join(folder, 'sealing'), Buffer.from([0xa3, 0x61]));
  const enclave = startEnclave(folder, createMemoryStorage());
  await enclave.serving();
  await ordersDone(folder);
  enclave.stop();
  remove();
});

test('what was left lying of it never costs the root key of an installation', async () => {
  const { folder, remove } = enclaveFolder();
  const storage = createMemoryStorage();
  const first = startEnclave(folder, storage);
  await first.serving();
  await ordersDone(folder);
  first.stop();
  const sealing = readFileSync(join(folder, 'sealing'));
  writeFileSync(join(folder, 'first-start'), '');
  const second = startEnclave(folder, storage);
  await second.serving();
  second.stop();
  expect(readFileSync(join(folder, 'sealing')).equals(sealing)).toBe(true);
  writeFileSync(join(folder, 'first-start'), '');
  rmSync(join(folder, 'sealing'));
  await expect(startEnclave(folder, storage).opened).rejects.toThrow('holds an anchor but no sealed root key');
  remove();
});
