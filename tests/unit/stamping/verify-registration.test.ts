import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { verifyRegistration } from '../../../src/enclave/verify-registration.ts';
import { CountersignError } from '../../../src/protocol/errors.ts';
import { flag } from '../../../src/stamping/authenticator-data.ts';
import { createSoftwareAuthenticator, type Deviations } from '../../../src/stamping/software-authenticator.ts';
import type { Registration } from '../../../src/stamping/stamp.ts';
import { parseWebauthnStamp, verifyWebauthnStamp } from '../../../src/stamping/webauthn-stamp.ts';

const rpId = 'wallet.example';
const origin = 'https://wallet.example';
const rules = { origins: [origin, 'http://localhost:*'], rpIds: ['localhost', rpId] };
const passkey = createSoftwareAuthenticator({ rpId, origin });

type Field = 'credentialId' | 'clientDataJson' | 'attestationObject';

/** `registration` is refused for `field`, with a description that says `expectation`. */
async function expectRefused(registration: Registration, field: Field, expectation: string | RegExp): Promise<void> {
  const error = await verifyRegistration(registration, rules).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(CountersignError);
  expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', message: 'invalid authenticator attestation' });
  const [violation, ...more] = (error as CountersignError).facts.fields ?? [];
  expect(more).toEqual([]);
  expect(violation?.field).toBe(`attestation.${field}`);
  expect(violation?.description).toMatch(expectation);
}

const withAttestation = (registration: Registration, changed: Partial<Registration['attestation']>): Registration => ({
  ...registration,
  attestation: { ...registration.attestation, ...changed },
});

const byteLength = (bytes: Buffer) => Buffer.from([0x59, bytes.length >> 8, bytes.length & 0xff]);

/** Authenticator data of a new credential. */
function authData(coseKey: Buffer, { id = Buffer.alloc(16, 1), flags = 0x45, tail = Buffer.alloc(0) } = {}): Buffer {
  const head = Buffer.concat([createHash('sha256').update(rpId).digest(), Buffer.of(flags), Buffer.alloc(4)]);
  const aaguid = Buffer.from('0102030405060708090a0b0c0d0e0f10', 'hex');
  return Buffer.concat([head, aaguid, Buffer.of(id.length >> 8, id.length & 0xff), id, coseKey, tail]);
}

/** A registration with `data`, in the format `fmt` and with `statement` (CBOR). */
function register(
  data: Buffer,
  { fmt = 'none', statement = Buffer.of(0xa0), id = Buffer.alloc(16, 1) } = {},
): Registration {
  const text = (value: string) => Buffer.concat([Buffer.of(0x60 + value.length), Buffer.from(value)]);
  const object = Buffer.concat([
    Buffer.of(0xa3),
    text('fmt'),
    text(fmt),
    text('attStmt'),
    statement,
    text('authData'),
    byteLength(data),
    data,
  ]);
  return {
    ...withAttestation(base, {
      attestationObject: object.toString('base64url'),
      credentialId: id.toString('base64url'),
    }),
  };
}

const base = passkey.register();
const ecKey = passkey.publicKey;
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const n = Buffer.from(rsa.publicKey.export({ format: 'jwk' }).n as string, 'base64url');
const rsaKey = Buffer.concat([
  Buffer.from('a401030339010020', 'hex'),
  byteLength(n),
  n,
  Buffer.from('2143010001', 'hex'),
]);
const ed = generateKeyPairSync('ed25519');
const edKeyOf = (x: Buffer) => Buffer.concat([Buffer.from('a4010103272006215820', 'hex'), x]);
const edKey = edKeyOf(Buffer.from(ed.publicKey.export({ format: 'jwk' }).x as string, 'base64url'));

describe('what is taken', () => {
  test('a passkey, with all that its stamps need', async () => {
    const verified = await verifyRegistration(passkey.register(), rules);
    expect(verified).toEqual({
      credentialId: passkey.credentialId,
      publicKey: Uint8Array.from(passkey.publicKey),
      rpId,
      aaguid: Buffer.alloc(16),
      transports: ['AUTHENTICATOR_TRANSPORT_INTERNAL'],
      backupEligible: false,
    });
    const body = Buffer.from('{}');
    const stamp = parseWebauthnStamp(passkey.stamp(body).value);
    verifyWebauthnStamp({ stamp, credential: verified, body, origins: rules.origins, requireUserVerification: true });
  });

  test('a synced passkey, without user verification, with extensions', async () => {
    const deviations = { flags: flag.UP | flag.BE | flag.BS, extensions: Buffer.from('a0', 'hex') };
    expect((await verifyRegistration(passkey.register(deviations), rules)).backupEligible).toBe(true);
  });

  test('on any port of localhost, for the RP id localhost', async () => {
    const local = createSoftwareAuthenticator({ rpId: 'localhost', origin: 'http://localhost:5173' });
    expect((await verifyRegistration(local.register(), rules)).rpId).toBe('localhost');
  });

  test.each([
    ['RS256', rsaKey],
    ['EdDSA', edKey],
  ])('%s', async (_, key) => {
    const verified = await verifyRegistration(register(authData(key)), rules);
    expect(Buffer.from(verified.publicKey).equals(key)).toBe(true);
    expect(Buffer.from(verified.aaguid).toString('hex')).toBe('0102030405060708090a0b0c0d0e0f10');
  });

  test('a challenge in plain base64, as some mobile clients write it', async () => {
    const bytes = Buffer.from('fbffbf00', 'hex');
    const clientData = { challenge: bytes.toString('base64url') };
    const registration = passkey.register({ clientData });
    await verifyRegistration({ ...registration, challenge: bytes.toString('base64') }, rules);
  });

  test('a credential id of 1023 bytes', async () => {
    const id = Buffer.alloc(1023, 3);
    expect((await verifyRegistration(register(authData(ecKey, { id }), { id }), rules)).credentialId).toBe(
      id.toString('base64url'),
    );
  });

  test('packed self-attestation, if its signature verifies', async () => {
    const data = authData(rsaKey);
    const attest = (key: KeyObject) => {
      const client = createHash('sha256').update(Buffer.from(base.attestation.clientDataJson, 'base64url')).digest();
      const signature = sign('sha256', Buffer.concat([data, client]), key);
      const statement = Buffer.concat([
        Buffer.from('a263616c6739010063736967', 'hex'),
        byteLength(signature),
        signature,
      ]);
      return register(data, { fmt: 'packed', statement });
    };
    expect((await verifyRegistration(attest(rsa.privateKey), rules)).rpId).toBe(rpId);
    const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
    await expectRefused(attest(other), 'attestationObject', 'expected an attestation signature that verifies');
  });
});

describe('what is refused, each for its own reason', () => {
  const clientData = (members: Record<string, unknown>): Deviations => ({ clientData: members });

  test.each<[string, Field, RegExp, Deviations]>([
    ['a stamp', 'clientDataJson', /type `webauthn.create`/, clientData({ type: 'webauthn.get' })],
    ['another challenge', 'clientDataJson', /the challenge/, clientData({ challenge: 'AAAA' })],
    ['no challenge', 'clientDataJson', /the challenge/, clientData({ challenge: undefined })],
    [
      'another origin',
      'clientDataJson',
      /an origin of https:\/\/wallet.example, .*found `https:\/\/evil.example`/,
      clientData({ origin: 'https://evil.example' }),
    ],
    ['an origin that begins alike', 'clientDataJson', /an origin of/, clientData({ origin: `${origin}.evil` })],
    ['no origin', 'clientDataJson', /an origin$/, clientData({ origin: undefined })],
    ['a frame', 'clientDataJson', /inside a frame/, clientData({ crossOrigin: true })],
    ['a page around it', 'clientDataJson', /inside a frame/, clientData({ topOrigin: 'https://evil.example' })],
    ['another RP id', 'attestationObject', /RP ID/, { rpId: 'app.wallet.example' }],
    ['nobody present', 'attestationObject', /presence/i, { flags: flag.UV }],
    ['backed up, not eligible', 'attestationObject', /backed up/, { flags: flag.UP | flag.BS }],
  ])('%s', (_, field, expectation, deviations) => expectRefused(passkey.register(deviations), field, expectation));

  test('an empty challenge on both sides', async () => {
    await expectRefused(
      { ...passkey.register({ clientData: { challenge: '' } }), challenge: '' },
      'clientDataJson',
      'the challenge',
    );
  });

  test('a credential id that is not the one attested', async () => {
    const stranger = createSoftwareAuthenticator({ rpId, origin });
    await expectRefused(
      withAttestation(base, { credentialId: stranger.credentialId }),
      'credentialId',
      'that is in the attestation object',
    );
  });

  test('an assertion in place of an attestation', async () => {
    const stamp = JSON.parse(passkey.stamp('{}').value);
    await expectRefused(withAttestation(base, { clientDataJson: stamp.clientDataJson }), 'clientDataJson', 'type');
    await expectRefused(
      withAttestation(base, { attestationObject: stamp.authenticatorData }),
      'attestationObject',
      /./,
    );
  });

  test('text that is not canonical base64url, or too long', async () => {
    for (const field of ['credentialId', 'clientDataJson', 'attestationObject'] as const) {
      const given = base.attestation[field];
      for (const wrong of ['', '!', `${given}=`, `${given} `, 'A'.repeat(30_000)]) {
        await expectRefused(withAttestation(base, { [field]: wrong }), field, 'expected base64url without padding');
      }
    }
    await expectRefused(
      withAttestation(base, { credentialId: Buffer.alloc(1024).toString('base64url') }),
      'credentialId',
      '1023 bytes',
    );
  });

  test('client data that is no JSON object', async () => {
    const withText = (text: string) =>
      withAttestation(base, { clientDataJson: Buffer.from(text).toString('base64url') });
    for (const text of ['[]', 'null', '{', '\ufeff{}']) {
      await expectRefused(withText(text), 'clientDataJson', 'expected a JSON object');
    }
    const inner = Buffer.from(base.attestation.clientDataJson, 'base64url');
    await expectRefused(withText(`{"__proto__":${inner}}`), 'clientDataJson', 'expected type');
  });

  test.each(['apple', 'tpm', 'android-key', 'android-safetynet', 'fido-u2f', 'compound', ''])(
    'attestation of format `%s`',
    async (fmt) => {
      await expectRefused(
        register(authData(ecKey), { fmt }),
        'attestationObject',
        'expected attestation of format none or packed',
      );
    },
  );

  test.each([
    [
      'ES384',
      Buffer.concat([
        Buffer.from('a501020338222002215830', 'hex'),
        Buffer.alloc(48),
        Buffer.from('225830', 'hex'),
        Buffer.alloc(48),
      ]),
      /alg "-35"/,
    ],
    ['a point beside the curve', Buffer.concat([ecKey.subarray(0, 76), Buffer.of((ecKey[76] as number) ^ 1)]), /./],
    ['an Ed25519 key of small order', edKeyOf(Buffer.concat([Buffer.of(1), Buffer.alloc(31)])), /prime order/],
    ['RSA with exponent 1', Buffer.concat([rsaKey.subarray(0, -4), Buffer.from('43000001', 'hex')]), /exponent/],
  ])('%s', (_, key, expectation) => expectRefused(register(authData(key)), 'attestationObject', expectation));

  test('authenticator data with a tail, or cut off anywhere', async () => {
    await expectRefused(register(authData(ecKey, { tail: Buffer.of(0) })), 'attestationObject', /Leftover/);
    const whole = authData(ecKey);
    for (let end = 0; end < whole.length; end++)
      await expectRefused(register(whole.subarray(0, end)), 'attestationObject', /./);
  });

  test('attestation objects of noise and of depth', async () => {
    for (const object of [
      Buffer.of(0),
      Buffer.from('a0', 'hex'),
      Buffer.alloc(16_000, 0x81),
      Buffer.from('bf'.repeat(100), 'hex'),
      Buffer.from('9b7fffffffffffffff', 'hex'),
    ]) {
      await expectRefused(
        withAttestation(base, { attestationObject: object.toString('base64url') }),
        'attestationObject',
        /./,
      );
    }
  });

  test('where no origin or no RP id is allowed', async () => {
    await expect(verifyRegistration(base, { ...rules, origins: [] })).rejects.toThrow(
      'invalid authenticator attestation',
    );
    await expect(verifyRegistration(base, { ...rules, rpIds: [] })).rejects.toThrow(
      'invalid authenticator attestation',
    );
  });

  test('the path of the caller stands before the field', async () => {
    const attempt = verifyRegistration(base, { ...rules, origins: [] }, 'parameters.authenticators.0');
    await expect(attempt).rejects.toMatchObject({
      facts: { fields: [{ field: 'parameters.authenticators.0.attestation.clientDataJson' }] },
    });
  });
});
