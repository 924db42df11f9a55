/**
 * Every byte of a vector of each platform, altered one at a time, and every fifth of the others: nothing that the verifiers
 * accept has a byte that counts for nothing.
 */
import { expect, test } from 'vitest';
import { verifyNitro } from '../../../sdk/src/attestation/nitro.ts';
import { verifySevSnp } from '../../../sdk/src/attestation/sev-snp.ts';
import { verifyTdx } from '../../../sdk/src/attestation/tdx.ts';
import { verifyTpm2 } from '../../../sdk/src/attestation/tpm2.ts';
import { acceptedAlterations } from './alter.ts';
import { nitro, nitroDebug, nitroDebug2, sevSnp, tdx, tdxSpr, tpm2 } from './vectors.ts';

const latin1 = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');

test.each([
  ['a document', nitro, 1],
  ['a debug-mode document', nitroDebug, 5],
  ['another debug-mode document', nitroDebug2, 5],
])('Nitro: %s', async (_, { document, at }, step) => {
  const verify = (altered: Uint8Array) => verifyNitro(altered, { at, allowDebug: true });
  expect(await acceptedAlterations(document, verify, 16, step)).toEqual([]);
});

test('SEV-SNP: the report', async () => {
  const { evidence, at } = sevSnp;
  const verify = (report: Uint8Array) => verifySevSnp({ ...evidence, report }, { at, allowDebug: true });
  expect(await acceptedAlterations(evidence.report, verify, 0x50)).toEqual([]);
});

test('SEV-SNP: the certificates', async () => {
  const { evidence, at } = sevSnp;
  const withVcek = (vcek: Uint8Array) => verifySevSnp({ ...evidence, vcek }, { at, allowDebug: true });
  expect(await acceptedAlterations(evidence.vcek, withVcek)).toEqual([]);
  const withChain = (chain: Uint8Array) =>
    verifySevSnp({ ...evidence, chain: latin1(chain) }, { at, allowDebug: true });
  expect(await acceptedAlterations(Buffer.from(evidence.chain), withChain)).toEqual([]);
});

test('TDX: a quote, and the zeros behind it', async () => {
  expect(await acceptedAlterations(tdx.file, (altered) => verifyTdx(altered, { at: tdx.at }), 48)).toEqual([]);
});

test('TDX: another quote', async () => {
  const { file, size, at } = tdxSpr;
  const verify = (altered: Uint8Array) => verifyTdx(altered, { at });
  expect(await acceptedAlterations(file.subarray(0, size), verify, 48, 5)).toEqual([]);
});

test('TPM 2.0: quote, signature, key and registers', async () => {
  const { evidence } = tpm2;
  const sweep = (name: 'quoted' | 'signature' | 'publicKey') =>
    acceptedAlterations(evidence[name], (altered) => verifyTpm2({ ...evidence, [name]: altered }), 256);
  expect(await sweep('quoted')).toEqual([]);
  expect(await sweep('signature')).toEqual([]);
  expect(await sweep('publicKey')).toEqual([]);
  const withPcr = (altered: Uint8Array) => verifyTpm2({ ...evidence, pcrs: { 11: altered } });
  expect(await acceptedAlterations(evidence.pcrs[11], withPcr, 32)).toEqual([]);
});
