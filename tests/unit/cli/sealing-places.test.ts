import { chmodSync, chownSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { placesOf } from '../../../src/cli/sealing-places.ts';
import { readSettings } from '../../../src/cli/settings.ts';

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'countersign-places-')));
const socket = join(folder, 'tpm.sock');
let server: Server;
beforeAll(async () => {
  server = createServer();
  await new Promise<void>((resolve) => server.listen(socket, resolve));
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

const settings = (tpm: string) => readSettings({ COUNTERSIGN_TPM: tpm, COUNTERSIGN_TPM_PCRS: '7,11' });

test('local-file and quorum-shares need nothing outside the folder', () => {
  expect(placesOf(settings('/nowhere'), ['local-file', 'quorum-shares', 'file anchor'], 1000)).toEqual({
    paths: [],
    groups: [],
    environment: {},
  });
});

test('a place is named by its real path, which is what the enclave sees', () => {
  const link = join(folder, 'link');
  symlinkSync(socket, link);
  expect(placesOf(settings(link), ['tpm2', 'tpm2 anchor'], null)).toEqual({
    paths: [socket],
    groups: [],
    environment: { COUNTERSIGN_TPM: socket, COUNTERSIGN_TPM_PCRS: '7,11' },
  });
});

test.each([
  ['what is not there', '/nowhere/tpm', 'COUNTERSIGN_TPM: /nowhere/tpm cannot be used (ENOENT)'],
  ['a folder', folder, 'expected a socket or a device'],
])('%s is refused, with the setting to change', (_, path, message) => {
  expect(() => placesOf(settings(path), ['tpm2'], null)).toThrow(message);
});

test('a file is no TPM', () => {
  const file = join(folder, 'file');
  writeFileSync(file, '');
  expect(() => placesOf(settings(file), ['tpm2'], null)).toThrow('expected a socket or a device');
});

test.skipIf(process.getuid?.() !== 0)('as root the enclave gets the group of the place, and never that of root', () => {
  const groups = () => placesOf(settings(socket), ['tpm2'], 1_900_000_000).groups;
  chmodSync(socket, 0o660);
  expect(groups).toThrow('the enclave runs under a user id of its own (1900000000), which may not use');
  chownSync(socket, 0, 7777);
  expect(groups()).toEqual([7777]);
  chmodSync(socket, 0o600);
  expect(groups).toThrow('chgrp, chmod 660');
  chmodSync(socket, 0o666);
  expect(groups()).toEqual([]);
  chownSync(socket, 1_900_000_000, 0);
  chmodSync(socket, 0o600);
  expect(groups()).toEqual([]);
});
