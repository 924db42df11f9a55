import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { startService } from '../support/service.ts';

const command = fileURLToPath(new URL('../../bin/countersign.mjs', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'countersign-test-demo-'));
afterAll(() => rmSync(folder, { recursive: true }));

const runDemo = (env: Readonly<Record<string, string>>) =>
  spawnSync(process.execPath, [command, 'demo'], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, TMPDIR: folder, ...env },
  });

test('where nothing runs, the demo starts a service of its own and leaves nothing behind', () => {
  const { status, stdout, stderr } = runDemo({ COUNTERSIGN_DATA_DIR: join(folder, 'none') });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  expect(stdout).toMatch(/recovered +0x[0-9a-fA-F]{40}, which is the wallet's address/);
  expect(stdout.match(/^ +refused +4\d\d: /gm)).toHaveLength(2);
  expect(readdirSync(folder)).toEqual([]);
});

test('the demo uses the service that runs', async () => {
  const service = await startService();
  try {
    const { status, stdout } = runDemo({ COUNTERSIGN_DATA_DIR: service.dataDir });
    expect(status).toBe(0);
    expect(stdout).toContain(`against ${service.baseUrl}`);
  } finally {
    await service.stop();
  }
});
