import { createPublicKey, verify } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { apiKeyStamper } from '../../../sdk/src/api-key-stamper.ts';
import { readDerSignature } from '../../../src/stamping/der-signature.ts';
import { generateApiKey } from '../../../src/stamping/make-api-key-stamp.ts';

const body = '{"organizationId":"1","note":"ü"}';

async function stampOf(key: { publicKey: string; privateKey: string }, text = body) {
  const { header, value } = await apiKeyStamper(key)(text);
  const stamp = JSON.parse(Buffer.from(value, 'base64url').toString()) as Record<
    'publicKey' | 'scheme' | 'signature',
    string
  >;
  return { header, value, ...stamp };
}

/** SubjectPublicKeyInfo of a compressed P-256 point; node:crypto decompresses by itself. */
const publicKeyOf = (hex: string) =>
  createPublicKey({
    key: Buffer.from(`3039301306072a8648ce3d020106082a8648ce3d030107032200${hex}`, 'hex'),
    format: 'der',
    type: 'spki',
  });

test('stamps verify with node:crypto, whatever the key and however long r and s are', async () => {
  await fc.assert(
    fc.asyncProperty(fc.string(), async (text) => {
      const key = generateApiKey();
      const stamp = await stampOf(key, text);
      expect(stamp).toMatchObject({
        header: 'X-Stamp',
        publicKey: key.publicKey,
        scheme: 'SIGNATURE_SCHEME_TK_API_P256',
      });
      const signature = Buffer.from(stamp.signature, 'hex');
      expect(readDerSignature(signature)).toHaveLength(64);
      expect(verify('sha256', Buffer.from(text), publicKeyOf(key.publicKey), signature)).toBe(true);
      expect(verify('sha256', Buffer.from(`${text} `), publicKeyOf(key.publicKey), signature)).toBe(false);
    }),
    { numRuns: 100 },
  );
});

test('the value is base64url without padding', async () => {
  expect((await stampOf(generateApiKey())).value).toMatch(/^[\w-]+$/);
});

test('a private key of another public key is refused', async () => {
  const mixed = { publicKey: generateApiKey().publicKey, privateKey: generateApiKey().privateKey };
  await expect(stampOf(mixed)).rejects.toThrow();
});

test.each(['', '04ab', `02${'ff'.repeat(32)}`, `05${'11'.repeat(32)}`])(
  'the public key `%s` is refused',
  async (publicKey) => {
    await expect(stampOf({ ...generateApiKey(), publicKey })).rejects.toThrow(TypeError);
  },
);
