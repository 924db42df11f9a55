import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { verifyRegistration } from '../../../src/enclave/verify-registration.ts';
import {
  type CredentialsContainer,
  createPasskey,
  makeWebauthnStamp,
} from '../../../src/stamping/make-webauthn-stamp.ts';
import { createSoftwareAuthenticator } from '../../../src/stamping/software-authenticator.ts';
import { parseWebauthnStamp, verifyWebauthnStamp } from '../../../src/stamping/webauthn-stamp.ts';

const rpId = 'wallet.example';
const origin = 'https://wallet.example';
const buffer = (text: string) => new Uint8Array(Buffer.from(text, 'base64url')).buffer;
const base64url = (bytes: unknown) => Buffer.from(bytes as Uint8Array).toString('base64url');

/** `navigator.credentials` over a software authenticator, with what it was asked for and how many ceremonies overlapped. */
function createBrowser(transports: string[] | undefined = ['internal', 'hybrid', 'smart-card']) {
  const passkey = createSoftwareAuthenticator({ rpId, origin });
  const asked: Record<string, unknown>[] = [];
  let open = 0;
  const ceremony = async <T>(publicKey: Record<string, unknown>, make: () => T): Promise<T> => {
    if (open > 0) throw new Error('OperationError: A request is already pending.');
    open++;
    asked.push(publicKey);
    await new Promise((resolve) => setTimeout(resolve, 5));
    open--;
    return make();
  };
  const credentials: CredentialsContainer = {
    get: ({ publicKey }) =>
      ceremony(publicKey, () => {
        const { value } = passkey.stamp('', { clientData: { challenge: base64url(publicKey.challenge) } });
        const stamp = JSON.parse(value);
        return {
          rawId: buffer(stamp.credentialId),
          response: {
            authenticatorData: buffer(stamp.authenticatorData),
            clientDataJSON: buffer(stamp.clientDataJson),
            signature: buffer(stamp.signature),
            userHandle: new ArrayBuffer(8),
          },
        };
      }),
    create: ({ publicKey }) =>
      ceremony(publicKey, () => {
        const { attestation } = passkey.register({ clientData: { challenge: base64url(publicKey.challenge) } });
        return {
          rawId: buffer(attestation.credentialId),
          response: {
            clientDataJSON: buffer(attestation.clientDataJson),
            attestationObject: buffer(attestation.attestationObject),
            ...(transports && { getTransports: () => transports }),
          },
        };
      }),
  };
  return { credentials, asked, passkey };
}

const verify = (value: string, passkey: { credentialId: string; publicKey: Uint8Array }, body: string) =>
  verifyWebauthnStamp({
    stamp: parseWebauthnStamp(value),
    credential: { ...passkey, rpId, backupEligible: false },
    body: Buffer.from(body),
    origins: [origin],
    requireUserVerification: true,
  });

describe('makeWebauthnStamp', () => {
  test.each(['{"a":1}', 'é\ud800'])('stamps `%s` as it is sent', async (body) => {
    const { credentials, asked, passkey } = createBrowser();
    for (const given of [body, new TextEncoder().encode(body)]) {
      const { header, value } = await makeWebauthnStamp(given, { rpId, credentials });
      expect(header).toBe('X-Stamp-Webauthn');
      expect(Object.keys(JSON.parse(value))).toEqual([
        'authenticatorData',
        'clientDataJson',
        'credentialId',
        'signature',
      ]);
      verify(value, passkey, body);
    }
    expect(asked[0]).toMatchObject({ rpId, allowCredentials: [], timeout: 300_000, userVerification: 'preferred' });
  });

  test('names the credentials to choose from', async () => {
    const { credentials, asked, passkey } = createBrowser();
    await makeWebauthnStamp('{}', {
      rpId,
      credentials,
      allowCredentials: [passkey.credentialId],
      userVerification: 'required',
    });
    expect(asked[0]?.allowCredentials).toEqual([
      { type: 'public-key', id: new Uint8Array(Buffer.from(passkey.credentialId, 'base64url')) },
    ]);
    expect(asked[0]?.userVerification).toBe('required');
  });

  test('one ceremony after another, also after one that the user declined', async () => {
    const { credentials, passkey } = createBrowser();
    const declined = makeWebauthnStamp('no', {
      rpId,
      credentials: { ...credentials, get: () => Promise.reject(new Error('NotAllowedError')) },
    });
    const bodies = ['a', 'b', 'c'];
    const stamps = Promise.all(bodies.map((body) => makeWebauthnStamp(body, { rpId, credentials })));
    await expect(declined).rejects.toThrow('NotAllowedError');
    for (const [index, { value }] of (await stamps).entries()) verify(value, passkey, bodies[index] as string);
  });

  test('says what is missing where there is no browser', async () => {
    await expect(makeWebauthnStamp('{}', { rpId })).rejects.toThrow('passkeys need a browser');
  });

  test('imports nothing of Node', () => {
    const source = readFileSync(new URL('../../../src/stamping/make-webauthn-stamp.ts', import.meta.url), 'utf8');
    expect([...source.matchAll(/from '([^']+)'/g)].map(([, name]) => name)).toEqual(['@scure/base', './stamp.ts']);
    expect(source).not.toMatch(/\bBuffer\b|\bprocess\b|node:/);
  });
});

describe('createPasskey', () => {
  const options = { rp: { id: rpId, name: 'Wallet' }, user: { name: 'ada', displayName: 'Ada' } };

  test('makes what the enclave takes', async () => {
    const { credentials, asked, passkey } = createBrowser();
    const registration = await createPasskey({ ...options, credentials, excludeCredentials: ['AAE'] });
    const verified = await verifyRegistration(registration, { origins: [origin], rpIds: [rpId] });
    expect(verified.credentialId).toBe(passkey.credentialId);
    expect(verified.transports).toEqual(['AUTHENTICATOR_TRANSPORT_INTERNAL', 'AUTHENTICATOR_TRANSPORT_HYBRID']);
    expect(asked[0]).toMatchObject({
      rp: options.rp,
      user: options.user,
      pubKeyCredParams: [
        { type: 'public-key', alg: -7 },
        { type: 'public-key', alg: -257 },
      ],
      authenticatorSelection: { residentKey: 'required', requireResidentKey: true, userVerification: 'preferred' },
      attestation: 'none',
      excludeCredentials: [{ type: 'public-key', id: Uint8Array.of(0, 1) }],
    });
    expect(asked[0]?.user).toMatchObject({ id: expect.objectContaining({ length: 32 }) });
  });

  test('challenges and user handles differ each time; transports may be unknown', async () => {
    const { credentials, asked } = createBrowser(undefined);
    const plain = {
      ...credentials,
      create: async (given: { publicKey: Record<string, unknown> }) => {
        const made = (await credentials.create(given)) as { rawId: ArrayBuffer; response: Record<string, unknown> };
        const { getTransports: _, ...response } = made.response;
        return { ...made, response };
      },
    };
    const [first, second] = [
      await createPasskey({ ...options, credentials: plain }),
      await createPasskey({ ...options, credentials: plain }),
    ];
    expect(first.challenge).not.toBe(second.challenge);
    expect(asked[0]?.user).not.toEqual(asked[1]?.user);
    expect(first.attestation.transports).toEqual([]);
  });
});
