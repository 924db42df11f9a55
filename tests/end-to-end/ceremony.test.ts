/** A whole ceremony as people do it: the command on their machines, the real processes, a restart. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { freePort } from '../../src/cli/port.ts';
import { type Launched, launch, run } from './launch.ts';

const folder = mkdtempSync(join(tmpdir(), 'countersign-ceremony-'));
const dataDir = join(folder, 'data');
const port = await freePort();
const env = { COUNTERSIGN_DATA_DIR: dataDir, COUNTERSIGN_SEALING: 'quorum-shares', PORT: String(port) };
const passphrase = join(folder, 'passphrase');
let service: Launched | undefined;

afterAll(async () => {
  service?.signal('SIGTERM');
  await service?.ended;
  rmSync(folder, { recursive: true, force: true });
});

const ceremony = async (...args: string[]): Promise<string> => {
  const { code, output } = await run({ args: ['ceremony', ...args], env });
  return code === 0 ? output : `refused: ${output}`;
};
const keyOf = (name: string) => join(folder, `${name}.key`);
const share = (name: string, boot: string, ...more: string[]) =>
  ceremony('share', '--key', keyOf(name), '--accept-unattested', boot, ...more);

test('three holders, two at a start: keys, names, first start, restart', async () => {
  writeFileSync(passphrase, 'what only anna knows\n');
  const keys = [['anna', '--passphrase-file', passphrase], ['ben'], ['carl']] as const;
  const lines = await Promise.all(
    keys.map(async ([name, ...more]) => {
      const output = await ceremony('holder-key', '--name', name, '--out', keyOf(name), ...more);
      return /^\w+:04[0-9a-f]{128}$/m.exec(output)?.[0] as string;
    }),
  );
  expect(statSync(keyOf('anna')).mode & 0o777).toBe(0o600);
  expect(readFileSync(keyOf('anna'), 'utf8')).not.toContain('privateKey');
  expect(await ceremony('new', '--threshold', '4', ...lines.flatMap((line) => ['--holder', line]))).toContain('4 of 3');
  await ceremony('new', '--threshold', '2', ...lines.flatMap((line) => ['--holder', line]));

  service = launch({ env });
  await service.says('waiting for shares: 0 of 2');
  const boot = /^enclave: boot id ([0-9a-f]{64})/m.exec(service.output())?.[1] as string;
  const manifest = /^hash ([0-9a-f]{64})$/m.exec(await ceremony('status'))?.[1] as string;
  expect(await ceremony('check', '--key', keyOf('ben'))).toContain(`add --manifest ${manifest}`);
  expect(await ceremony('check', '--key', keyOf('ben'), '--manifest', manifest)).toContain('your share opens');
  expect(await ceremony('share', '--key', keyOf('ben'))).toContain('refused: ');
  expect(await share('ben', boot)).toContain('there so far: ben');
  await service.says('waiting for shares: 1 of 2 (ben)');
  expect(await share('anna', boot, '--manifest', manifest, '--passphrase-file', passphrase)).toContain(
    'the root key is there',
  );
  await service.says('Countersign is ready');
  const { organizationId } = JSON.parse(readFileSync(join(dataDir, 'root.json'), 'utf8'));

  service.signal('SIGTERM');
  await service.ended;
  service = launch({ env });
  await service.says('waiting for shares: 0 of 2');
  const next = /^enclave: boot id ([0-9a-f]{64})/m.exec(service.output())?.[1] as string;
  expect(await share('carl', boot, '--manifest', manifest)).toContain('this is not the start that you accept');
  await share('carl', next, '--manifest', manifest);
  await share('ben', next);
  await service.healthy();
  expect(JSON.parse(readFileSync(join(dataDir, 'root.json'), 'utf8')).organizationId).toBe(organizationId);
});
