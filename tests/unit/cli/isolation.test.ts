/** The isolation that this machine has, tried from inside. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { confine, isForked } from '../../../src/cli/confine.ts';
import { enclaveFolder, openHost, ownView } from '../../../src/cli/host.ts';
import { describeIsolation } from '../../../src/cli/isolation.ts';
import { checkout } from '../../../src/cli/view.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'countersign-isolation-'));
afterAll(() => rmSync(dataDir, { recursive: true }));

const host = await openHost(dataDir, () => {});
const secret = join(enclaveFolder(dataDir), 'secret');
writeFileSync(secret, 'the secret', { mode: 0o600 });
const confined = {
  enclave: ownView(host, 'enclave', enclaveFolder(dataDir), 'passwd'),
  api: ownView(host, 'api', join(dataDir, 'cache'), 'host'),
};

function run(role: 'enclave' | 'api', script: string): string {
  const [program = '', ...args] = confine(host.isolation, confined[role], ['/bin/sh', '-c', script]);
  const { stdout, error } = spawnSync(program, args, { encoding: 'utf8', env: {}, stdio: ['ignore', 'pipe', 'pipe'] });
  if (error) throw error;
  return stdout.trim();
}

test('says what holds and what does not', () => {
  const text = describeIsolation(host.isolation).join('\n');
  expect(text.startsWith('isolation: ')).toBe(true);
  expect(text.includes('do not hold')).toBe(host.isolation.kind === 'none');
});

test('no core dumps and no new privileges under any kind', () => {
  expect(run('enclave', 'ulimit -c')).toBe('0');
  if (host.isolation.tools.setpriv) expect(run('api', 'grep NoNewPrivs /proc/self/status')).toMatch(/1$/);
});

test('the enclave can write its folder, and a restart gives it to the same uid', async () => {
  expect(run('enclave', `echo kept > ${join(enclaveFolder(dataDir), 'file')} && echo written`)).toBe('written');
  const again = await openHost(dataDir, () => {});
  expect(again.isolation.uids).toEqual(host.isolation.uids);
});

test.skipIf(host.isolation.kind === 'none')('api cannot read what belongs to the enclave', () => {
  writeFileSync(secret, 'the secret');
  expect(run('api', `cat ${secret} || echo refused`)).toBe('refused');
  expect(run('api', `touch ${join(checkout, 'touched')} || echo refused`)).toBe('refused');
});

test.skipIf(!isForked(host.isolation))(
  'api sees no process but its own, and nothing else of the data directory',
  () => {
    expect(run('api', 'ls -d /proc/[0-9]* | wc -l')).toMatch(/^[123]$/);
    expect(run('api', `ls ${dataDir}`)).toBe('cache');
  },
);

test.skipIf(!isForked(host.isolation))('the enclave has no network', () => {
  expect(run('enclave', 'tail -n +3 /proc/net/dev | grep -v "lo:" | wc -l')).toBe('0');
});

test.skipIf(!host.isolation.uids)('as root, api and enclave have uids of their own', () => {
  expect(run('enclave', 'id -u')).toBe(String(statSync(enclaveFolder(dataDir)).uid));
  expect(run('api', 'id -u')).not.toBe(run('enclave', 'id -u'));
  expect(run('api', 'id -u')).not.toBe('0');
});
