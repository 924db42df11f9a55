import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { OperatorError } from '../../../src/cli/operator-error.ts';
import { verifyFiles } from '../../../src/cli/verify.ts';
import { decode } from '../../../src/protocol/cbor.ts';
import { startEnclave } from '../../support/enclave-in-memory.ts';
import { createResident } from '../../support/resident.ts';
import { activityBody, query } from '../../support/wire.ts';

const main = new URL('../../../src/cli/main.ts', import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), 'countersign-verify-'));
const payload = 'pay 5 to bob';
let signature: string;
let logKey: string;

beforeAll(async () => {
  const enclave = await startEnclave();
  const owner = await createResident(enclave.wire, enclave.parent, 'owner');
  const body = activityBody(owner.organizationId, 'ACTIVITY_TYPE_SIGN_RAW_PAYLOAD_V2', {
    signWith: owner.addresses[0],
    payload,
    encoding: 'PAYLOAD_ENCODING_TEXT_UTF8',
    hashFunction: 'HASH_FUNCTION_KECCAK256',
  });
  const stamp = owner.byPasskey.stamp(body);
  const { body: answer } = await enclave.wire({ kind: 'submit', name: 'sign_raw_payload', body, stamp, proof: true });
  const policies = await query(enclave.wire, owner.byPasskey, 'list_policies');
  const ask = { activityId: answer.activity?.id, stamps: true };
  const withStamps = (await query(enclave.wire, owner.byPasskey, 'get_receipt', ask)).body.receipt as string;
  enclave.remove();
  const { r, s, v } = Object.values(answer.activity?.result ?? {})[0] as { r: string; s: string; v: string };
  signature = `${r}${s}${v}`;
  const files = {
    'receipt.cbor': Buffer.from(answer.receipt as string, 'base64url'),
    'receipt.txt': `${answer.receipt}\n`,
    'answer.json': JSON.stringify(answer),
    'stamps.txt': withStamps,
    'none.json': '{}',
    'body.json': body,
    'payload.txt': payload,
    'policies.json': JSON.stringify(policies.body),
  };
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  const { steps, claims } = JSON.parse((await run('receipt.txt', '--json')).text);
  expect(claims.organization).toBe(owner.organizationId);
  logKey = /countersign\/[0-9a-f]{16}\+[0-9a-f]{8}\+[A-Za-z0-9+/=]+/.exec(JSON.stringify(steps))?.[0] as string;
  const { statement: bytes } = decode(files['receipt.cbor']) as { statement: Buffer };
  const statement = bytes.toString('base64url');
  writeFileSync(join(folder, 'attestation.json'), JSON.stringify({ statement, evidence: { platform: 'none' } }));
  writeFileSync(join(folder, 'other.json'), JSON.stringify({ statement: 'AAAA', evidence: { platform: 'none' } }));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Names of files stand for those in the folder. */
async function run(...args: string[]): Promise<{ ok: boolean; text: string }> {
  const inFolder = (arg: string) => arg.replace(/^(@?)(?=[a-z-]+\.(?:cbor|txt|json)$)/, `$1${folder}/`);
  return verifyFiles(args.map(inFolder));
}

test('the command ends with 0 where all holds, with 1 where not, and is explained', () => {
  const command = (...args: string[]) =>
    spawnSync(process.execPath, [main, 'verify', ...args], { cwd: folder, encoding: 'utf8' });
  expect(command('receipt.cbor', '--body', 'body.json')).toMatchObject({ status: 0, stderr: '' });
  expect(command('receipt.cbor', '--body', 'receipt.txt')).toMatchObject({ status: 1, stderr: '' });
  expect(command('--help').stdout).toContain('usage: countersign verify RECEIPT');
});

test.each(['receipt.cbor', 'receipt.txt', 'answer.json', 'stamps.txt'])('%s holds', async (file) => {
  const { ok, text } = await run(file);
  expect([ok, text]).toEqual([true, expect.stringContaining('✓ inclusion   all this is entry')]);
  expect(text).not.toContain('✗');
});

test('with everything at hand nothing is left open', async () => {
  const given = ['--body', 'body.json', '--payload', payload, '--signature', signature, '--policy', 'policies.json'];
  const { ok, text } = await run('stamps.txt', ...given, '--log-key', logKey, '--attestation', 'attestation.json');
  expect(text).not.toContain('✗');
  expect(ok).toBe(true);
  expect(text).toContain('· attestation no platform vouches for this enclave');
  expect(text).toContain('✓ stamps      approved by passkey');
  expect((await run('answer.json', '--payload', '@payload.txt')).text).toContain(
    '✓ signed      what was signed is this payload',
  );
  expect((await run('answer.json')).text).toContain('✓ result      its result is this one');
});

test.each<[string, () => string[], string]>([
  ['another body', () => ['--body', 'payload.txt'], '✗ request'],
  ['another payload', () => ['--payload', 'other'], '✗ signed'],
  ['another signature', () => ['--signature', `0x${signature.replace(/..$/, '7f')}`], '✗ signed'],
  ['other policies', () => ['--policy', 'body-policies.json'], '✗ decision'],
  ['another log', () => ['--log-key', `${logKey.slice(0, -3)}AA=`], '✗ checkpoint'],
  ['another enclave', () => ['--attestation', 'other.json'], '✗ enclave'],
  ['other code', () => ['--measurement', '00'], '✗ enclave'],
])('%s: red', async (_, args, words) => {
  writeFileSync(
    join(folder, 'body-policies.json'),
    JSON.stringify([{ policyId: 'a', policyName: 'b', createdAt: {} }]),
  );
  const { ok, text } = await run('receipt.cbor', ...args());
  expect([ok, text]).toEqual([false, expect.stringContaining(words)]);
  expect(text).toContain('refused');
});

test.each<[string, () => string[], string]>([
  ['no receipt', () => [], 'usage: countersign verify'],
  ['two', () => ['receipt.cbor', 'receipt.txt'], 'usage: countersign verify'],
  ['no such file', () => ['nothing.cbor'], 'nothing.cbor: ENOENT'],
  ['an answer without one', () => ['none.json'], 'carries no receipt'],
  ['a body that is none', () => ['receipt.cbor', '--body', 'nothing'], 'cannot read nothing'],
  ['a signature that is none', () => ['receipt.cbor', '--signature', 'xyz'], '--signature: expected hex'],
  ['policies that are none', () => ['receipt.cbor', '--policy', 'none.json'], 'as list_policies answers'],
  [
    'an attestation that is none',
    () => ['receipt.cbor', '--attestation', 'none.json'],
    'an answer of GET /attestation',
  ],
  ['a service that is none', () => ['receipt.cbor', '--attestation', 'http://127.0.0.1:1'], 'does not answer'],
])('%s: says so', async (_, args, words) => {
  const error = await run(...args()).catch((error) => error);
  expect(error).toBeInstanceOf(OperatorError);
  expect(error.message).toContain(words);
});

test('a body for the receipt', async () => {
  await expect(run('body.json')).rejects.toThrow('carries no receipt');
  expect(await run('payload.txt')).toMatchObject({ ok: false, text: expect.stringContaining('✗ receipt') });
});

test('the example of docs/receipts.md holds, and its page says what the command says', async () => {
  const docs = new URL('../../../docs/', import.meta.url).pathname;
  const page = readFileSync(`${docs}receipts.md`, 'utf8');
  const logKey = readFileSync(`${docs}receipt/log-key.txt`, 'utf8');
  const given = ['--body', `${docs}receipt/body.txt`, '--signature', `@${docs}receipt/signature.txt`];
  const payload = /--payload '(.+)' --log-key/.exec(page)?.[1] as string;
  const { ok, text } = await verifyFiles([
    `${docs}receipt/receipt.txt`,
    ...given,
    ...['--payload', payload, '--log-key', logKey],
  ]);
  expect(ok).toBe(true);
  const words = (lines: string) => lines.split('\n').map((line) => line.split(/…| 3bb0251f|(?<=SHA-256 )/)[0]?.trim());
  const shown = /```\n(✓ receipt[^`]+)\n```/.exec(page)?.[1] as string;
  for (const [at, line] of words(shown).entries()) expect(text.split('\n')[at]).toContain(line);
});
