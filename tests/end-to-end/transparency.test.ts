/** What an auditor and a user's SDK see of the running service: log, receipts, proofs, from outside and over HTTP. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { apiKeyStamper } from '../../sdk/src/api-key-stamper.ts';
import { createClient } from '../../sdk/src/client.ts';
import { answerVerifier } from '../../sdk/src/verify/answer-verifier.ts';
import { createResident, type Resident, signing } from '../support/resident.ts';
import { type Service, startService } from '../support/service.ts';
import { activityBody, overHttp, rootCaller } from '../support/wire.ts';

let service: Service;
let owner: Resident;
let folder: string;
let logKey: string;

beforeAll(async () => {
  service = await startService({ env: { COUNTERSIGN_LOG_LEVEL: 'warn' } });
  owner = await createResident(overHttp(service.baseUrl), rootCaller(service.root), 'Alice');
  folder = mkdtempSync(join(tmpdir(), 'countersign-transparency-'));
  const health = (await (await fetch(`${service.baseUrl}/health`)).json()) as { enclave: { verifierKey: string } };
  logKey = health.enclave.verifierKey;
});
afterAll(async () => {
  await service?.stop();
  rmSync(folder, { recursive: true });
});

const command = new URL('../../bin/countersign.mjs', import.meta.url).pathname;
const run = (...args: string[]) => spawnSync(process.execPath, [command, ...args], { cwd: folder, encoding: 'utf8' });

async function signOverHttp(headers: Record<string, string> = {}) {
  const body = activityBody(owner.organizationId, 'ACTIVITY_TYPE_SIGN_RAW_PAYLOAD_V2', signing(owner.addresses[0]));
  const { header, value } = owner.byPasskey.stamp(body);
  const response = await fetch(`${service.baseUrl}/public/v1/submit/sign_raw_payload`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', [header]: value, ...headers },
    body,
  });
  return { body, header: response.headers.get('x-countersign-receipt'), answer: await response.text() };
}

test('an answer carries its receipt, in the body and in a header, unless it is not wanted', async () => {
  const { body, header, answer } = await signOverHttp();
  expect(header).toBe(JSON.parse(answer).receipt);
  writeFileSync(join(folder, 'answer.json'), answer);
  writeFileSync(join(folder, 'body.json'), body);
  const given = ['--body', 'body.json', '--log-key', logKey, '--attestation', service.baseUrl];
  const { status, stdout, stderr } = run('verify', 'answer.json', ...given);
  expect(stdout + stderr).not.toContain('✗');
  expect(status).toBe(0);
  for (const words of ['✓ request', '✓ inclusion', '✓ proof', '✓ checkpoint', '✓ enclave', '✓ result']) {
    expect(stdout).toContain(words);
  }
  const omitted = await signOverHttp({ 'X-Countersign-Receipt': 'omit' });
  expect(omitted.header).toBeNull();
  expect(JSON.parse(omitted.answer).receipt).toBeUndefined();
});

test('a client that verifies takes what the service answers', async () => {
  const client = createClient({
    baseUrl: service.baseUrl,
    organizationId: owner.organizationId,
    stamp: apiKeyStamper(owner.apiKey),
    verify: answerVerifier({ logKey }),
  });
  expect((await client.signRawPayload(signing(owner.addresses[0]) as never)).r).toHaveLength(64);
});

test('the log is followed from its first entry on', async () => {
  const first = run('monitor', service.baseUrl, '--once', '--state', 'log.json');
  expect(first.stderr).toBe('');
  expect(first.stdout).toContain(logKey);
  expect(first.stdout).toContain('entry 0: the service started');
  expect(first.status).toBe(0);
  for (let count = 0; count < 3; count++) await signOverHttp();
  const second = run('monitor', `${service.baseUrl}/log`, '--once', '--state', 'log.json', '--log-key', logKey);
  expect(second.stdout).toMatch(/\d+ entries, 3 more/);
  expect(JSON.parse(readFileSync(join(folder, 'log.json'), 'utf8')).logKey).toBe(logKey);
});
