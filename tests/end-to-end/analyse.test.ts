/** `countersign policy analyse` about the policies of an organization of the running service. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createResident, type Resident } from '../support/resident.ts';
import { type Service, startService } from '../support/service.ts';
import { overHttp, resultOf, rootCaller, submit } from '../support/wire.ts';

const main = new URL('../../src/cli/main.ts', import.meta.url).pathname;
const capped = (amount: number) => ({
  policyName: 'capped',
  effect: 'EFFECT_ALLOW',
  language: 'cel',
  condition: `activity.kind == 'SIGN_TRANSACTION' && eth.tx.value <= ${amount}`,
  notes: '',
});

let folder: string;
let service: Service;
let owner: Resident;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'analyse-'));
  service = await startService();
  const wire = overHttp(service.baseUrl);
  owner = await createResident(wire, rootCaller(service.root), 'Owner');
  resultOf(await submit(wire, owner.byPasskey, 'create_policy', 'CREATE_POLICY_V3', capped(5)));
});
afterAll(async () => {
  await service?.stop();
  rmSync(folder, { recursive: true });
});

const analyse = (...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> =>
  new Promise((resolve) => {
    const env = { PATH: process.env.PATH, COUNTERSIGN_DATA_DIR: service.dataDir };
    execFile(process.execPath, [main, 'policy', 'analyse', ...args], { env }, (error, stdout, stderr) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr }),
    );
  });

test('a draft is compared with the policies of now', async () => {
  const draft = join(folder, 'draft.json');
  const ofOwner = ['--organization', owner.organizationId, '--limit', '60'];
  writeFileSync(draft, JSON.stringify(capped(6)));
  const looser = await analyse('compare', draft, ...ofOwner);
  expect([looser.code, looser.stdout]).toEqual([2, expect.stringContaining('eth.tx.value 6; approved by')]);
  writeFileSync(draft, JSON.stringify(capped(4)));
  const stricter = await analyse('compare', draft, ...ofOwner);
  expect([stricter.code, stricter.stdout]).toEqual([0, expect.stringContaining('eth.tx.value 5; approved by')]);
  const unused = await analyse('unused', ...ofOwner);
  expect([unused.code, unused.stdout]).toEqual([0, expect.stringContaining('capped: makes a difference')]);
});

test('what the service refuses is said', async () => {
  const other = await analyse('unused', '--organization', '00000000-0000-4000-8000-000000000000');
  expect([other.code, other.stdout, other.stderr]).toEqual([1, '', expect.stringContaining('refused')]);
  expect(await analyse('unused', 'file.json', '--organization', owner.organizationId)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('usage: countersign policy analyse'),
  });
});
