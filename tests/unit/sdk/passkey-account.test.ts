/** Passkeys as accounts that contracts verify; with a browser's own passkey in tests/browser/sdk.test.ts. */
import { createHash, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import { keccak256, toHex } from 'viem';
import { expect, test } from 'vitest';
import { toWebAuthnAccount } from '../../../sdk/src/viem/index.ts';
import { newPasskey } from '../../support/resident.ts';

const rpId = 'localhost';

test('the key is read out of a registration, and out of what the service lists', () => {
  const passkey = newPasskey();
  const listed = {
    credentialId: passkey.credentialId,
    credential: { publicKey: passkey.publicKey.toString('base64url') },
  };
  const accounts = [passkey.register(), listed].map((each) => toWebAuthnAccount({ passkey: each, rpId }));
  const point = Buffer.concat([passkey.publicKey.subarray(10, 42), passkey.publicKey.subarray(45, 77)]);
  for (const account of accounts) {
    expect(account).toMatchObject({ type: 'webAuthn', id: passkey.credentialId, publicKey: toHex(point) });
  }
});

test('a key of another kind is refused', () => {
  const publicKey = Buffer.from('a401030339010020590100', 'hex').toString('base64url');
  expect(() => toWebAuthnAccount({ passkey: { credentialId: 'AA', credential: { publicKey } }, rpId })).toThrow(
    'P-256',
  );
});

test('signatures are of the hash as the challenge, and of low s whatever the authenticator gives', async () => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
  const [xBytes, yBytes] = [x, y].map((each) => Buffer.from(each, 'base64url')) as [Buffer, Buffer];
  const cose = Buffer.concat([
    Buffer.from('a5010203262001215820', 'hex'),
    xBytes,
    Buffer.from('225820', 'hex'),
    yBytes,
  ]).toString('base64url');
  const authenticatorData = Buffer.concat([
    createHash('sha256').update(rpId).digest(),
    Buffer.from('0500000001', 'hex'),
  ]);
  /** An authenticator's answer, whose s is as often high as low. */
  const getFn = async (options?: { publicKey?: { challenge: BufferSource } }) => {
    const challenge = Buffer.from(options?.publicKey?.challenge as Uint8Array).toString('base64url');
    const clientDataJSON = Buffer.from(
      JSON.stringify({ type: 'webauthn.get', challenge, origin: 'http://localhost:3000', crossOrigin: false }),
    );
    const signed = Buffer.concat([authenticatorData, createHash('sha256').update(clientDataJSON).digest()]);
    const copy = (bytes: Buffer) => Uint8Array.from(bytes).buffer;
    const response = {
      authenticatorData: copy(authenticatorData),
      clientDataJSON: copy(clientDataJSON),
      signature: copy(sign('sha256', signed, privateKey)),
    };
    return { id: 'AA', response } as never;
  };
  const account = toWebAuthnAccount({
    passkey: { credentialId: 'AA', credential: { publicKey: cose } },
    rpId,
    getFn: getFn as never,
  });
  const half = 0x7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a8n;
  for (let count = 0; count < 32; count++) {
    const hash = keccak256(toHex(count));
    const { signature, webauthn } = await account.sign({ hash });
    const { challenge } = JSON.parse(webauthn.clientDataJSON) as { challenge: string };
    expect(toHex(Buffer.from(challenge, 'base64url'))).toBe(hash);
    const compact = Buffer.from(signature.slice(2, 130), 'hex');
    expect(BigInt(toHex(compact.subarray(32)))).toBeLessThanOrEqual(half);
    const signed = Buffer.concat([authenticatorData, createHash('sha256').update(webauthn.clientDataJSON).digest()]);
    const key = createPublicKey({ key: publicKey.export({ format: 'jwk' }), format: 'jwk' });
    expect(verify('sha256', signed, { key, dsaEncoding: 'ieee-p1363' }, compact)).toBe(true);
  }
});
