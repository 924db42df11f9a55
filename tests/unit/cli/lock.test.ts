import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { lockDataDirectory } from '../../../src/cli/lock.ts';
import { findTools } from '../../../src/cli/tools.ts';

const { flock } = findTools();

let dataDir = '';
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'countersign-lock-'));
});
afterEach(() => rmSync(dataDir, { recursive: true }));

test.skipIf(!flock)('waits for an orphan that still holds the lock, and says so', async () => {
  const descriptor = openSync(join(dataDir, 'enclave.lock'), 'a');
  const holder = spawn(flock as string, ['-x', '3'], { stdio: ['ignore', 'ignore', 'inherit', descriptor] });
  await once(holder, 'exit');
  const orphan = spawn('sleep', ['0.5'], { stdio: ['ignore', 'ignore', 'ignore', descriptor] });
  closeSync(descriptor);
  const said: string[] = [];
  const locks = await lockDataDirectory(dataDir, flock, (line) => said.push(line));
  expect(orphan.exitCode).toBe(0);
  expect(said).toHaveLength(1);
  closeSync(locks.enclave);
  closeSync(locks.others);
});

test('without flock(1) it goes on and says what that means', async () => {
  const said: string[] = [];
  const locks = await lockDataDirectory(dataDir, undefined, (line) => said.push(line));
  expect(said[0]).toContain('second start');
  closeSync(locks.enclave);
  closeSync(locks.others);
});
