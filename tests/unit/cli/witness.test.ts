/** `countersign witness` on a folder that another one has: of two memories of one key each would cosign a history of its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { witness } from '../../../src/cli/witness.ts';
import { createWitness } from '../../../src/witness/server.ts';

const log = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
const command = fileURLToPath(new URL('../../../bin/countersign.mjs', import.meta.url));
let folder: string;
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'countersign-witness-')), 'data');
});
afterEach(() => rmSync(join(folder, '..'), { recursive: true }));

test('a second one does not start, nor is anything enrolled anew under the first one', async () => {
  const options = ['--name', 'w', '--data', folder, '--log', log, '--listen', '127.0.0.1:0'];
  const first = spawn(process.execPath, [command, 'witness', ...options], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    for await (const text of first.stdout) if (String(text).includes('listens on')) break;
    await expect(witness(options)).rejects.toThrow(`another witness is running on ${folder}`);
    await expect(witness(['--data', folder, '--enrol-anew', 'PeterNeumann'])).rejects.toThrow('stop it first');
  } finally {
    const ended = once(first, 'close');
    first.kill();
    await ended;
  }
  await expect(witness(['--data', folder, '--enrol-anew', 'PeterNeumann'])).rejects.toThrow('never cosigned');
});

test("a witness's verifier key is none of a log", async () => {
  const { verifierKey } = createWitness({ folder, name: 'w', logs: [] });
  await expect(witness(['--name', 'w', '--data', folder, '--log', verifierKey])).rejects.toThrow(
    'got that of a witness',
  );
});
