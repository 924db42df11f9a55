/** A service whose log is cosigned by `countersign witness`, as their operators set both up, across a kill of everything. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort } from '../../src/cli/port.ts';
import { createResident, type Resident, sign } from '../support/resident.ts';
import { type Service, startService } from '../support/service.ts';
import { overHttp, rootCaller } from '../support/wire.ts';

const command = fileURLToPath(new URL('../../bin/countersign.mjs', import.meta.url));
let folder: string;
let service: Service | undefined;
let witness: ChildProcess | undefined;
let alice: Resident;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'countersign-anchors-'));
});
afterAll(async () => {
  witness?.kill('SIGKILL');
  await service?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Starts the command; resolves with its first line that starts with `word`, without that. */
async function run(word: string, ...args: string[]): Promise<string> {
  witness = spawn(process.execPath, [command, 'witness', '--name', 'w', '--data', join(folder, 'w'), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: witness.stdout as NonNullable<typeof witness.stdout> });
  for await (const line of lines) if (line.startsWith(`${word} `)) return line.slice(word.length + 1);
  throw new Error(`the witness did not say: ${word}`);
}

const health = async () =>
  (await (await fetch(`${service?.baseUrl}/health`)).json()) as {
    enclave: { verifierKey: string; checkpoint: string; reason: string | null };
  };

test('a witness is added to a running installation, and outlasts a kill of it with nothing lost', async () => {
  const [port, dataDir] = [await freePort(), join(folder, 'data')];
  const key = await run('witness');
  await once(witness as ChildProcess, 'exit');
  writeFileSync(join(folder, 'policy'), `witness w ${key} http://127.0.0.1:${port}\nquorum w\n`);
  service = await startService({ dataDir });
  const log = (await health()).enclave.verifierKey;
  alice = await createResident(overHttp(service.baseUrl), rootCaller(service.root), 'Alice');
  await service.stop();

  await run('listens', '--listen', `127.0.0.1:${port}`, '--log', log);
  const env = { COUNTERSIGN_ANCHOR: 'file+witness', COUNTERSIGN_WITNESS_POLICY: join(folder, 'policy') };
  for (let times = 0; times < 2; times++) {
    service = await startService({ dataDir, env });
    expect((await sign(overHttp(service.baseUrl), alice.byPasskey, alice.addresses[0])).status).toBe(200);
    expect((await health()).enclave.checkpoint).toContain('\n\u2014 w ');
    await service.kill();
  }
}, 120_000);
