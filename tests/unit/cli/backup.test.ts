/** Backups that were made up or exchanged where they were kept: `restore` refuses them before it writes anything. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createBackupFile } from '../../../src/cli/backup/container.ts';
import { isBackedUp, writeParts } from '../../../src/cli/backup/parts.ts';
import { restore } from '../../../src/cli/restore.ts';
import { readSettings } from '../../../src/cli/settings.ts';

let folder: string;
let file: string;
let passphrase: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'countersign-backup-'));
  file = join(folder, 'backup');
  passphrase = join(folder, 'passphrase');
  writeFileSync(passphrase, 'a passphrase of the operator\n');
});
afterEach(() => rmSync(folder, { recursive: true }));

function makeBackup(encrypted: boolean, sealing: boolean, ...names: string[]): void {
  const backup = createBackupFile(file, encrypted ? 'a passphrase of the operator' : null);
  const header = { version: 1 as const, program: '1', time: '', migrations: [], batch: null, sealing };
  const parts = writeParts(backup.write, header);
  for (const name of names) {
    const part = parts.begin({ kind: 'file', name });
    part.write(Buffer.from('content'));
    part.end();
  }
  parts.finish();
  backup.finish();
}

const target = () => join(folder, 'data');
const attempt = (...more: string[]) =>
  restore(readSettings({ COUNTERSIGN_DATA_DIR: target() }), ['--from', file, ...more]);

test.each(['enclave/sealing', 'enclave/sealing.next', 'root.json', 'enclave/orders/one.json'])(
  'a file that anybody could have written brings %s: refused',
  async (name) => {
    makeBackup(false, false, 'enclave/anchor', name);
    await expect(attempt()).rejects.toThrow('somebody made it up');
    expect(existsSync(target())).toBe(false);
  },
);

test('a file that is not encrypted says that it holds keys, or lies in the place of one that was: refused', async () => {
  makeBackup(false, true, 'enclave/anchor');
  await expect(attempt()).rejects.toThrow('somebody made it up');
  await expect(attempt('--passphrase-file', passphrase)).rejects.toThrow('not the file that this passphrase was for');
  expect(existsSync(target())).toBe(false);
});

test.each([
  'enclave/accept-state.json',
  'enclave/restored',
  'enclave/first-start',
  'enclave/aws-credentials.json',
  'enclave/../root.json',
  'enclave/.hidden',
  '/etc/passwd',
])('%s is neither taken into a backup nor out of one', async (name) => {
  expect(isBackedUp(name)).toBe(false);
  makeBackup(true, true, name);
  await expect(attempt('--passphrase-file', passphrase)).rejects.toThrow('the backup cannot be used');
  expect(existsSync(target())).toBe(false);
});
