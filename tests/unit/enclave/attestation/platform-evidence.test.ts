import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { verifyTpm2 } from '../../../../sdk/src/attestation/tpm2.ts';
import { verifyEvidence } from '../../../../sdk/src/attestation/verify-evidence.ts';
import { attest } from '../../../../src/enclave/attestation/attest.ts';
import { platformEvidence } from '../../../../src/enclave/attestation/platform-evidence.ts';
import { sha256 } from '../../../../src/enclave/ledger/hash.ts';
import { openTpm } from '../../../../src/enclave/tpm/client.ts';
import { extendPcr } from '../../../../src/enclave/tpm/pcr.ts';
import { decode } from '../../../../src/protocol/cbor.ts';
import { startDstackAgent } from '../../../support/dstack-agent.ts';
import { startNitro } from '../../../support/nitro.ts';
import { hasSwtpm, type SoftwareTpm, startSwtpm } from '../../../support/swtpm.ts';

const reportData = randomBytes(64);
const bytes = (value: unknown) => Buffer.from(String(value), 'base64url');

test('local-file and quorum-shares prove nothing about the platform', async () => {
  for (const sealing of ['local-file', 'quorum-shares'] as const) {
    expect(await platformEvidence({ sealing })(reportData)).toEqual({ platform: 'none' });
  }
});

test('dstack quotes the report data', async () => {
  const agent = await startDstackAgent('application');
  const evidence = await platformEvidence({ sealing: 'dstack', dstackSocket: agent.socket })(reportData);
  expect(evidence).toMatchObject({ platform: 'dstack', eventLog: '[]', vmConfig: '{}' });
  expect(bytes(evidence.quote).subarray(-64)).toEqual(reportData);
  await agent.stop();
});

test('Nitro gives a document with the report data as user data', async () => {
  const nitro = await startNitro();
  const { platform, document } = await platformEvidence({ sealing: 'nitro-kms', nsmSocket: nitro.nsmSocket })(
    reportData,
  );
  expect(platform).toBe('nitro');
  expect(decode(bytes(document))).toMatchObject({ user_data: reportData, nonce: null, public_key: null });
  await nitro.stop();
});

describe.skipIf(!hasSwtpm)('tpm2 (needs swtpm)', () => {
  let tpm: SoftwareTpm;
  beforeAll(async () => {
    tpm = await startSwtpm();
    const connection = await openTpm(tpm.socket);
    await extendPcr(connection, 11, Buffer.alloc(32, 1));
    await connection.close();
  });
  afterAll(() => tpm.remove());

  test('a quote is what the SDK verifies, for this boot statement and nonce alone', async () => {
    const statement = randomBytes(200);
    const nonce = randomBytes(32);
    const evidenceOf = platformEvidence({ sealing: 'tpm2', tpm: tpm.socket, tpmPcrs: [0, 11] });
    const { evidence } = await attest({ id: sha256(statement), statement }, evidenceOf, nonce);
    const proven = await verifyEvidence(statement, evidence, nonce);
    expect(proven?.measurements.pcr11).toBe(
      sha256(Buffer.concat([Buffer.alloc(32), Buffer.alloc(32, 1)])).toString('hex'),
    );
    expect(Object.keys(proven?.measurements ?? {})).toEqual(['pcr0', 'pcr11']);
    await expect(verifyEvidence(statement, evidence, randomBytes(32))).rejects.toThrow('another nonce');
    await expect(verifyEvidence(randomBytes(200), evidence, nonce)).rejects.toThrow('another boot statement');
  });

  test('the key is the same at each start of this TPM, and another one on another', async () => {
    const keyOn = async (path: string) => {
      const { publicKey } = await platformEvidence({ sealing: 'tpm2', tpm: path })(reportData);
      return publicKey;
    };
    const key = await keyOn(tpm.socket);
    await tpm.restart();
    expect(await keyOn(tpm.socket)).toBe(key);
    const other = await startSwtpm();
    expect(await keyOn(other.socket)).not.toBe(key);
    await other.remove();
  });

  test('a value that was not quoted is refused', async () => {
    const evidence = await platformEvidence({ sealing: 'tpm2', tpm: tpm.socket })(reportData);
    const { quoted, signature, publicKey } = evidence;
    const parts = { quoted: bytes(quoted), signature: bytes(signature), publicKey: bytes(publicKey) };
    await expect(verifyTpm2({ ...parts, pcrs: { 11: Buffer.alloc(32, 7) } })).rejects.toThrow(
      'not those that were signed',
    );
  });
});
