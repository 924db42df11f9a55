import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { nitroKms } from '../../../../src/enclave/sealing/nitro-kms.ts';
import { type SealedRoot, SealingError } from '../../../../src/enclave/sealing/provider.ts';
import type { Cbor } from '../../../../src/protocol/cbor.ts';
import { authorities, envelop, type Nitro, startNitro, trusted } from '../../../support/nitro.ts';

const rootKey = randomBytes(32);
let nitro: Nitro;
let sealed: SealedRoot;
beforeAll(async () => {
  nitro = await startNitro();
  sealed = await provider().seal(rootKey);
});
beforeEach(() => {
  nitro.measurement = trusted;
  nitro.nsmAnswers = (honest) => honest;
  nitro.kmsAnswers = (honest) => honest;
});
afterAll(() => nitro.stop());

const provider = () => nitroKms(nitro, authorities);

async function refusal(of: SealedRoot = sealed): Promise<string> {
  const outcome: unknown = await provider()
    .unseal(of)
    .catch((error: unknown) => error);
  expect(outcome).toBeInstanceOf(SealingError);
  return (outcome as Error).message;
}

test('the root key opens, and KMS is asked as its API says', async () => {
  nitro.asked.length = 0;
  expect(await provider().unseal(sealed)).toEqual(rootKey);
  const [{ action, headers, body } = { action: '', headers: {}, body: {} }] = nitro.asked;
  expect(action).toBe('Decrypt');
  expect(headers['content-type']).toBe('application/x-amz-json-1.1');
  expect(headers['x-amz-security-token']).toBe('token');
  expect(headers.authorization).toMatch(
    /^AWS4-HMAC-SHA256 Credential=AKID\/\d{8}\/eu-central-1\/kms\/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target, Signature=[0-9a-f]{64}$/,
  );
  expect(body).toMatchObject({
    KeyId: nitro.kms.key,
    EncryptionContext: { application: 'countersign', purpose: 'root-key' },
    Recipient: { KeyEncryptionAlgorithm: 'RSAES_OAEP_SHA_256' },
  });
  expect(JSON.stringify(nitro.asked)).not.toContain(rootKey.toString('base64').slice(0, 10));
});

test('another image gets no key', async () => {
  nitro.measurement = 'altered image';
  expect(await refusal()).toMatch(/AccessDeniedException.*kms:RecipientAttestation:ImageSha384/);
});

test('a data key that somebody else made for this enclave does not open the root key', async () => {
  const foreign = randomBytes(32);
  let publicKey: Uint8Array = Buffer.alloc(0);
  nitro.kmsAnswers = ({ status, body }) => {
    const recipient = nitro.asked.at(-1)?.body.Recipient as { AttestationDocument: string };
    const document = Buffer.from(recipient.AttestationDocument, 'base64');
    publicKey = document.subarray(document.indexOf(Buffer.from('30820122', 'hex'))).subarray(0, 294);
    return {
      status,
      body: { ...(body as object), CiphertextForRecipient: envelop(foreign, publicKey).toString('base64') },
    };
  };
  expect(await refusal()).toContain('does not open the root key');
});

const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ type: 'spki', format: 'der' });
test.each<[string, unknown, string]>([
  [
    'an envelope for another key',
    { CiphertextForRecipient: envelop(randomBytes(32), other).toString('base64') },
    'not for this enclave',
  ],
  ['an envelope that is none', { CiphertextForRecipient: 'AAAA' }, 'envelope that does not open'],
  ['the key in clear', { Plaintext: randomBytes(32).toString('base64') }, 'without CiphertextForRecipient'],
  ['no JSON', '<html>', 'no JSON object'],
  ['null', null, 'no JSON object'],
  ['too much', { padding: 'x'.repeat(70_000) }, 'more than 64 KiB'],
])('a KMS that answers %s is refused', async (_, body, message) => {
  nitro.kmsAnswers = () => ({ status: 200, body });
  expect(await refusal()).toContain(message);
});

test.each<[string, (honest: Cbor) => Cbor | Buffer, string]>([
  ['an error', () => ({ Error: 'InvalidOperation' }), 'refuses: InvalidOperation'],
  ['no document', () => ({ Attestation: {} }), 'without an attestation document'],
  ['text for a document', () => ({ Attestation: { document: 'x' } }), 'without an attestation document'],
  ['text', () => 'x', 'without an attestation document'],
  ['nothing', () => Buffer.alloc(0), 'hung up'],
  ['no CBOR', () => Buffer.from('00000001ff', 'hex'), 'cannot be read'],
  ['more than it says', () => Buffer.from('00000001f6f6', 'hex'), 'broke its protocol'],
  ['too much', () => Buffer.from('00010000', 'hex'), 'broke its protocol'],
])('a security module that answers %s is refused', async (_, answer, message) => {
  nitro.nsmAnswers = answer;
  expect(await refusal()).toContain(message);
});

test('altered anywhere the sealing is refused', async () => {
  for (const name of ['ciphertext', 'wrapped'] as const) {
    const altered = Buffer.from(sealed[name] as Uint8Array);
    altered[20] = (altered[20] as number) ^ 1;
    expect(await refusal({ ...sealed, [name]: altered })).not.toBe('');
    expect(await refusal({ ...sealed, [name]: null })).toContain('restore it from the backup');
  }
});

test('an endpoint without the certificate of KMS is not spoken to', async () => {
  nitro.asked.length = 0;
  await expect(nitroKms(nitro).unseal(sealed)).rejects.toThrow('KMS cannot be reached');
  expect(nitro.asked).toEqual([]);
});

test('what is missing is said', async () => {
  const message = (places: Parameters<typeof nitroKms>[0]) =>
    nitroKms(places, authorities)
      .unseal(sealed)
      .catch((error: Error) => error.message);
  expect(await message({ ...nitro, nsmSocket: undefined })).toContain('COUNTERSIGN_NSM_SOCKET');
  expect(await message({ ...nitro, kms: undefined })).toContain('COUNTERSIGN_KMS_KEY');
  expect(await message({ ...nitro, kms: { ...nitro.kms, key: 'alias/x' } })).toContain('expected the ARN');
  expect(await message({ ...nitro, kms: { ...nitro.kms, socket: '/nowhere' } })).toContain('through /nowhere (ENOENT)');
  expect(await message({ ...nitro, nsmSocket: '/nowhere' })).toContain('cannot be used (ENOENT)');
  writeFileSync(join(nitro.folder, 'aws-credentials.json'), '{}');
  expect(await message(nitro)).toContain('lacks a part');
  rmSync(join(nitro.folder, 'aws-credentials.json'));
  expect(await message(nitro)).toContain('cannot be read (ENOENT)');
});
