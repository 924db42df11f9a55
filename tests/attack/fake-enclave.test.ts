/** An operator who runs something else than the enclave, and shows evidence for it: of another, of an older, or of none. */
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { checkEvidence, codeRegister, type MeasurementPolicy } from '../../sdk/src/attestation/policy.ts';
import { type PlatformEvidence, reportDataOf, verifyEvidence } from '../../sdk/src/attestation/verify-evidence.ts';
import { createBootIdentity } from '../../src/enclave/attestation/statement.ts';
import { createFakeTpm } from '../support/tpm-quote.ts';
import { nitro, nitroDebug } from '../unit/attestation/vectors.ts';

const release = Buffer.alloc(48, 7);
const code = release.toString('hex');
const pcr11 = codeRegister(release);
const nonce = Buffer.from('a nonce of the client');
const none = new Uint8Array();

const newStatement = (changes: { measurement?: Buffer; version?: string } = {}): Buffer =>
  createBootIdentity({
    measurement: release,
    version: '1.4.2',
    sealing: 'tpm2',
    anchor: 'file',
    isolation: 'bwrap',
    settings: Buffer.alloc(32),
    time: Date.parse('2026-01-01'),
    ...changes,
  }).statement;

const tpm = createFakeTpm();
const statement = newStatement();
const evidence = tpm.quote(reportDataOf(statement, nonce), pcr11);
const policy: MeasurementPolicy = { code: [code], minimumVersion: '1.4.0', platforms: { tpm2: [{ key: tpm.key }] } };

test('the true one is accepted, and what holds is said', async () => {
  const verdict = await checkEvidence(statement, evidence, nonce, policy);
  expect(verdict).toMatchObject({ ok: true, refusal: null, platform: 'tpm2', statement: { version: '1.4.2' } });
  expect(verdict.bootId).toBe(createHash('sha256').update(statement).digest('hex'));
  expect(verdict.checks.map(({ what }) => what)).toEqual([
    'The quote is signed by this attestation key',
    'The values of the PCRs are those that were signed',
    'The evidence names this boot statement, and was made for this nonce',
    'The attestation key is one that the policy accepts, and PCR 11 is that of the code',
    'The code that the boot statement names is one that the policy accepts',
    'The version is not older than 1.4.0',
  ]);
  const archived = tpm.quote(reportDataOf(statement, none), pcr11);
  expect((await checkEvidence(statement, archived, none, policy)).ok).toBe(true);
});

const refusalOf = async (
  shown: Buffer,
  shownEvidence: PlatformEvidence,
  accepted: MeasurementPolicy = policy,
  asked: Uint8Array = nonce,
  at?: number,
) => {
  const verdict = await checkEvidence(shown, shownEvidence, asked, accepted, at);
  expect(verdict.ok).toBe(verdict.refusal === null);
  return verdict.refusal?.code;
};

describe('refused is', () => {
  test('no evidence, unless the client said that it needs none', async () => {
    expect(await refusalOf(statement, { platform: 'none' })).toBe('UNATTESTED');
    const lax = { code: [code], allowUnattested: true };
    expect(await refusalOf(statement, { platform: 'none' }, lax)).toBeUndefined();
    // Even then the code must be one that it knows.
    expect(await refusalOf(newStatement({ measurement: Buffer.alloc(48) }), { platform: 'none' }, lax)).toBe(
      'UNKNOWN_MEASUREMENT',
    );
    const { notChecked } = await checkEvidence(statement, { platform: 'none' }, nonce, lax);
    expect(notChecked.join()).toContain('Whether this code runs at all');
  });

  test('a statement with keys of one’s own under the evidence of another', async () => {
    expect(await refusalOf(newStatement(), evidence)).toBe('REPORT_DATA_MISMATCH');
    const altered = Buffer.from(statement);
    altered[altered.length - 1] = (altered.at(-1) as number) ^ 1;
    expect(await refusalOf(altered, evidence)).toBe('REPORT_DATA_MISMATCH');
    expect(await refusalOf(Buffer.concat([statement, Buffer.of(0)]), evidence)).toBe('MALFORMED');
    expect(await refusalOf(Buffer.of(), evidence)).toBe('MALFORMED');
  });

  test('evidence that was made for another nonce, or for none', async () => {
    expect(await refusalOf(statement, evidence, policy, Buffer.from('another'))).toBe('REPORT_DATA_MISMATCH');
    expect(await refusalOf(statement, evidence, policy, none)).toBe('REPORT_DATA_MISMATCH');
    const archived = tpm.quote(reportDataOf(statement, none), pcr11);
    expect(await refusalOf(statement, archived)).toBe('REPORT_DATA_MISMATCH');
  });

  test('other code: said so, or with the true name on it', async () => {
    const other = Buffer.alloc(48, 8);
    const honest = newStatement({ measurement: other });
    expect(await refusalOf(honest, tpm.quote(reportDataOf(honest, nonce), codeRegister(other)))).toBe(
      'UNKNOWN_MEASUREMENT',
    );
    expect(await refusalOf(statement, tpm.quote(reportDataOf(statement, nonce), codeRegister(other)))).toBe(
      'UNKNOWN_MEASUREMENT',
    );
    expect(await refusalOf(statement, tpm.quote(reportDataOf(statement, nonce), Buffer.alloc(32)))).toBe(
      'UNKNOWN_MEASUREMENT',
    );
  });

  test.each(['1.3.9', '0.9.9', '1.4', 'unknown', ''])('version %j, older or unknown', async (version) => {
    const old = newStatement({ version });
    expect(await refusalOf(old, tpm.quote(reportDataOf(old, nonce), pcr11))).toBe('VERSION_TOO_OLD');
  });

  test('a TPM of one’s own', async () => {
    expect(await refusalOf(statement, createFakeTpm().quote(reportDataOf(statement, nonce), pcr11))).toBe(
      'UNKNOWN_MEASUREMENT',
    );
  });

  test('a true platform that the client does not accept', async () => {
    expect(await refusalOf(statement, evidence, { code: [code], platforms: { nitro: [{ pcr0: 'ff' }] } })).toBe(
      'PLATFORM_NOT_ACCEPTED',
    );
    expect(await refusalOf(statement, evidence, { code: [code] })).toBe('PLATFORM_NOT_ACCEPTED');
    expect(await refusalOf(statement, evidence, { code: [code], allowUnattested: true })).toBe('PLATFORM_NOT_ACCEPTED');
    expect(await refusalOf(statement, evidence, { ...policy, platforms: { tpm2: [] } })).toBe('UNKNOWN_MEASUREMENT');
  });

  test('a true document of somebody else’s enclave on the same platform', async () => {
    const document = Buffer.from(nitro.document).toString('base64url');
    expect(await refusalOf(statement, { platform: 'nitro', document }, policy, nonce, nitro.at)).toBe(
      'REPORT_DATA_MISMATCH',
    );
    expect(await refusalOf(statement, { platform: 'nitro', document })).toBe('CERTIFICATE_EXPIRED');
    const debug = Buffer.from(nitroDebug.document).toString('base64url');
    expect(await refusalOf(statement, { platform: 'nitro', document: debug }, policy, nonce, nitroDebug.at)).toBe(
      'DEBUG_MODE',
    );
  });

  test('a platform that nobody knows, and evidence that is none', async () => {
    const { signature: _, ...unsigned } = evidence;
    const broken: PlatformEvidence[] = [
      { platform: 'tpm2' },
      unsigned,
      { ...evidence, quoted: 'not base64url!' },
      { ...evidence, quoted: '' },
      { ...evidence, signature: 7 },
      { platform: 'nitro', document: 'AA' },
      { platform: 'dstack', quote: 'zz', eventLog: '[]' },
      { platform: 'dstack', quote: '00' },
      { platform: 'sev-snp', report: 'AA', vcek: 'AA', chain: '' },
    ];
    for (const one of broken) expect(await refusalOf(statement, one)).toMatch(/^(MALFORMED|BAD_SIGNATURE)$/);
    for (const platform of ['', 'sgx', '__proto__', 'constructor']) {
      expect(await refusalOf(statement, { platform })).toBe('UNSUPPORTED');
    }
    for (const pcrs of [null, 7, {}, { '011': evidence.pcrs }, { x: 'AA' }, { 11: 'AA' }]) {
      expect(await refusalOf(statement, { ...evidence, pcrs })).toMatch(/^(REGISTERS_MISMATCH|MALFORMED)$/);
    }
    const value = Object(evidence.pcrs)[11] as string;
    expect(await refusalOf(statement, { ...evidence, pcrs: { '011': value } })).toBe('REGISTERS_MISMATCH');
    for (const nothing of [null, undefined, 'none', 7, {}, { platform: 7 }]) {
      expect(await refusalOf(statement, nothing as unknown as PlatformEvidence)).toBe('MALFORMED');
    }
  });
});

test('a policy that would accept anything is an error of whoever wrote it', async () => {
  await expect(
    checkEvidence(statement, evidence, nonce, { ...policy, platforms: { tpm2: [{ pcr11: 'ff' }] } }),
  ).rejects.toThrow('policy: expected key in each image of tpm2');
  await expect(checkEvidence(statement, evidence, nonce, { ...policy, minimumVersion: 'new' })).rejects.toThrow(
    'minimumVersion',
  );
});

test('evidence without a nonce says nothing about when', async () => {
  const archived = await verifyEvidence(statement, tpm.quote(reportDataOf(statement, none), pcr11), none);
  expect(archived?.checks.at(-1)?.what).toBe('The evidence names this boot statement');
});
