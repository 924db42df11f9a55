import { mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ownFolder, replaceFile } from '../../../src/cli/files.ts';
import { enclaveFolder } from '../../../src/cli/host.ts';
import { anchorDurable, orderDone, placeOrder } from '../../../src/cli/orders.ts';
import { openRootFile, readRootFile, rootFilePath } from '../../../src/cli/root-file.ts';
import { readSettings } from '../../../src/cli/settings.ts';

let dataDir = '';
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'countersign-root-'));
});
afterEach(() => rmSync(dataDir, { recursive: true }));

const database = 'postgres://countersign:p@127.0.0.1:25000/countersign';

test('the root file is made once, for its owner alone', () => {
  const made = openRootFile(dataDir, readSettings({}), database);
  expect(statSync(rootFilePath(dataDir)).mode & 0o777).toBe(0o600);
  expect(readRootFile(dataDir)).toEqual(made);
  expect(made).toMatchObject({ apiBaseUrl: 'http://localhost:8787', databaseUrl: database, rpId: 'localhost' });
  expect(made.origin).toBe('http://localhost:8787');
});

test('a later start changes nothing in it but the address', () => {
  const made = openRootFile(dataDir, readSettings({}), database);
  expect(openRootFile(dataDir, readSettings({}), database)).toEqual(made);
  const moved = openRootFile(dataDir, readSettings({ PORT: '9000', COUNTERSIGN_RP_IDS: 'example.com' }), database);
  expect(moved).toEqual({ ...made, apiBaseUrl: 'http://localhost:9000' });
});

test('its origin is one that passkeys are accepted from', () => {
  const settings = readSettings({ COUNTERSIGN_ORIGINS: 'https://app.example.com,https://b.example.com' });
  expect(openRootFile(dataDir, settings, null).origin).toBe('https://app.example.com');
});

test('a damaged root file is an error, never a new key', () => {
  replaceFile(rootFilePath(dataDir), '{');
  expect(() => openRootFile(dataDir, readSettings({}), null)).toThrow('damaged');
});

const names = { organizationName: 'Root', userName: 'Root', apiKeyName: 'Root' };

test('an order is placed until it is done, and holds no private key', async () => {
  const root = openRootFile(dataDir, readSettings({}), null);
  ownFolder(enclaveFolder(dataDir), null);
  placeOrder(dataDir, root, names);
  const path = join(enclaveFolder(dataDir), 'orders', `${root.organizationId}.json`);
  expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({
    version: 1,
    order: 'createRootOrganization',
    organizationId: root.organizationId,
    userId: root.userId,
    apiPublicKey: root.apiPublicKey,
    ...names,
  });
  expect(await orderDone(dataDir, root.organizationId, AbortSignal.timeout(50))).toBe(false);
  renameSync(path, path.replace('.json', '.done.json'));
  expect(await orderDone(dataDir, root.organizationId, AbortSignal.timeout(50))).toBe(true);
  placeOrder(dataDir, root, names);
  expect(statSync(path, { throwIfNoEntry: false })).toBeUndefined();
});

test('a refused order says why', async () => {
  const root = openRootFile(dataDir, readSettings({}), null);
  ownFolder(join(enclaveFolder(dataDir), 'orders'), null);
  replaceFile(join(enclaveFolder(dataDir), 'orders', `${root.organizationId}.failed.json`), '{"reason":"too many"}');
  await expect(orderDone(dataDir, root.organizationId, AbortSignal.timeout(50))).rejects.toThrow('too many');
});

test('what is ordered waits for the enclave’s anchor', async () => {
  const folder = enclaveFolder(dataDir);
  ownFolder(folder, null);
  await expect(anchorDurable(dataDir, AbortSignal.timeout(50))).rejects.toThrow('stopped while starting');
  const anchored = anchorDurable(dataDir, AbortSignal.timeout(10_000)).then(() => 'anchored');
  expect(await Promise.race([anchored, sleep(100, 'waiting')])).toBe('waiting');
  writeFileSync(join(folder, 'anchor'), '');
  expect(await anchored).toBe('anchored');
});
