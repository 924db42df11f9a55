import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { verifyAuthenticationResponse } from '@simplewebauthn/server';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CountersignError, toStatus } from '../../../src/protocol/errors.ts';
import { flag } from '../../../src/stamping/authenticator-data.ts';
import { createSoftwareAuthenticator, type Deviations } from '../../../src/stamping/software-authenticator.ts';
import { parseWebauthnStamp, type StampCredential, verifyWebauthnStamp } from '../../../src/stamping/webauthn-stamp.ts';

const rpId = 'wallet.example';
const origin = 'https://wallet.example';
const body = Buffer.from('{"type":"ACTIVITY_TYPE_SIGN_RAW_PAYLOAD_V2","organizationId":"…","parameters":{}}');
const passkey = createSoftwareAuthenticator({ rpId, origin });
const credential: StampCredential = {
  credentialId: passkey.credentialId,
  publicKey: passkey.publicKey,
  rpId,
  backupEligible: false,
};
const expected = { credential, body, origins: [origin], requireUserVerification: true };

const verify = (value: string, otherwise: Partial<typeof expected> = {}) =>
  verifyWebauthnStamp({ stamp: parseWebauthnStamp(value), ...expected, ...otherwise });

const challengeOf = (message: Uint8Array) =>
  Buffer.from(createHash('sha256').update(message).digest('hex')).toString('base64url');

/** Runs `attempt`, which must be refused by the check called `cause` and show nothing of that. */
function expectRefusal(cause: string, attempt: () => unknown): void {
  let error: unknown;
  try {
    attempt();
  } catch (thrown) {
    error = thrown;
  }
  expect(error, cause).toBeInstanceOf(CountersignError);
  expect((error as Error).cause).toBe(cause);
  expect(toStatus(error)).toEqual({
    status: 401,
    body: {
      code: 16,
      message: 'could not verify WebAuthN signature',
      details: [{ '@type': 'type.googleapis.com/errors.v1.TurnkeyErrorDetail', turnkeyErrorCode: 'SIGNATURE_INVALID' }],
    },
  });
}

/** The stamp of `deviations` is refused by the check called `cause`. */
const expectRefused = (cause: string, deviations: Deviations, otherwise: Partial<typeof expected> = {}) =>
  expectRefusal(cause, () => verify(passkey.stamp(body, deviations).value, otherwise));

describe('what verifies', () => {
  test('a stamp, with its facts', () => {
    const first = verify(passkey.stamp(body).value);
    expect(first).toMatchObject({ userVerified: true, backedUp: false, origin });
    expect(verify(passkey.stamp(body).value).signCount).toBe(first.signCount + 1);
    expect(verify(passkey.stamp(body, { signCount: 0xffffffff }).value).signCount).toBe(0xffffffff);
  });

  test('any body, and no other', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), fc.nat(), (message, position) => {
        const { value } = passkey.stamp(message);
        verify(value, { body: Buffer.from(message) });
        const changed = Buffer.from(message.map((byte, at) => (at === position % message.length ? byte ^ 0x20 : byte)));
        expectRefusal('challenge', () => verify(value, { body: changed }));
      }),
      { numRuns: 50 },
    );
  });

  test('a synced passkey', () => {
    const synced = { ...expected, credential: { ...credential, backupEligible: true } };
    expect(verify(passkey.stamp(body, { flags: 0x1d }).value, synced)).toMatchObject({
      userVerified: true,
      backedUp: true,
    });
    expect(verify(passkey.stamp(body, { flags: 0x0d }).value, synced)).toMatchObject({ backedUp: false });
    const present = { ...synced, requireUserVerification: false };
    expect(verify(passkey.stamp(body, { flags: 0x19 }).value, present)).toMatchObject({ userVerified: false });
  });

  test('reserved flags, unknown members of the client data, extensions, a padded challenge', () => {
    const grease = 'do not compare clientDataJSON against a template. See https://goo.gl/yabPex';
    verify(passkey.stamp(body, { flags: 0x05 | 0x02 | 0x20 }).value);
    verify(
      passkey.stamp(body, {
        clientData: { other_keys_can_be_added_here: grease, tokenBinding: { status: 'supported' } },
      }).value,
    );
    verify(passkey.stamp(body, { clientData: { crossOrigin: undefined } }).value);
    verify(passkey.stamp(body, { extensions: Buffer.from('a0', 'hex') }).value);
    verify(passkey.stamp(body, { clientData: { challenge: `${challengeOf(body)}==` } }).value);
  });

  test('any port of localhost, where that is allowed', () => {
    const local = { origins: ['http://localhost:*'] };
    for (const from of ['http://localhost', 'http://localhost:5173']) {
      expect(verify(passkey.stamp(body, { clientData: { origin: from } }).value, local).origin).toBe(from);
    }
  });

  test('the high-S twin of a signature', () => {
    const n = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
    const stamp = JSON.parse(passkey.stamp(body).value);
    const der = Buffer.from(stamp.signature, 'base64url');
    const rEnd = 4 + (der[3] as number);
    const twin = n - BigInt(`0x${der.toString('hex', rEnd + 2)}`);
    const digits = twin
      .toString(16)
      .padStart(64, '0')
      .replace(/^(00)+(?=[0-7])/, '');
    const integer = Buffer.from(/^[89a-f]/.test(digits) ? `00${digits}` : digits, 'hex');
    const content = Buffer.concat([der.subarray(2, rEnd), Buffer.of(2, integer.length), integer]);
    const signature = Buffer.concat([Buffer.of(0x30, content.length), content]);
    expect(signature.equals(der)).toBe(false);
    verify(JSON.stringify({ ...stamp, signature: signature.toString('base64url') }));
  });
});

describe('keys of other algorithms', () => {
  const length = (bytes: Buffer) => Buffer.from([0x59, bytes.length >> 8, bytes.length & 0xff]);
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const n = Buffer.from(rsa.publicKey.export({ format: 'jwk' }).n as string, 'base64url');
  const rsaKey = Buffer.concat([
    Buffer.from('a401030339010020', 'hex'),
    length(n),
    n,
    Buffer.from('2143010001', 'hex'),
  ]);
  const ed = generateKeyPairSync('ed25519');
  const x = Buffer.from(ed.publicKey.export({ format: 'jwk' }).x as string, 'base64url');
  const edKey = Buffer.concat([Buffer.from('a4010103272006215820', 'hex'), x]);
  const signer = (key: KeyObject) => (message: Buffer) =>
    sign(key.asymmetricKeyType === 'ed25519' ? null : 'sha256', message, key);

  test.each([
    ['RS256', rsaKey, rsa.privateKey],
    ['EdDSA', edKey, ed.privateKey],
  ])('%s, for us and for the oracle', async (_, publicKey, privateKey) => {
    const owned = { ...expected, credential: { ...credential, publicKey } };
    const { value } = passkey.stamp(body, { sign: signer(privateKey) });
    verify(value, owned);
    expect(await askOracle(value, publicKey)).toBe(true);
    expectRefusal('challenge', () => verify(value, { ...owned, body: Buffer.from('other') }));
    expectRefusal('signature', () => verify(value));
    expectRefusal('signature', () => verify(passkey.stamp(body).value, owned));
  });
});

describe('what is refused, each for its own reason', () => {
  const foreign = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const clientData = (members: Record<string, unknown>): Deviations => ({ clientData: members });

  test.each<[string, string, Deviations]>([
    ['a registration', 'type', clientData({ type: 'webauthn.create' })],
    ['a payment', 'type', clientData({ type: 'payment.get' })],
    ['no type', 'type', clientData({ type: undefined })],
    ['a stamp over another body', 'challenge', clientData({ challenge: challengeOf(Buffer.from('other')) })],
    [
      'the raw digest as challenge',
      'challenge',
      clientData({ challenge: createHash('sha256').update(body).digest('base64url') }),
    ],
    [
      'the digits of the digest in upper case',
      'challenge',
      clientData({
        challenge: Buffer.from(createHash('sha256').update(body).digest('hex').toUpperCase()).toString('base64url'),
      }),
    ],
    ['an empty challenge', 'challenge', clientData({ challenge: '' })],
    ['no challenge', 'challenge', clientData({ challenge: undefined })],
    ['a list for a challenge', 'challenge', clientData({ challenge: [challengeOf(body)] })],
    ['a domain that begins alike', 'origin', clientData({ origin: 'https://wallet.example.evil' })],
    ['a domain that ends alike', 'origin', clientData({ origin: 'https://evil-wallet.example' })],
    ['a sub-domain', 'origin', clientData({ origin: 'https://a.wallet.example' })],
    ['http', 'origin', clientData({ origin: 'http://wallet.example' })],
    ['another port', 'origin', clientData({ origin: 'https://wallet.example:8443' })],
    ['a path', 'origin', clientData({ origin: 'https://wallet.example/' })],
    ['upper case', 'origin', clientData({ origin: 'https://WALLET.example' })],
    ['an opaque origin', 'origin', clientData({ origin: 'null' })],
    ['an Android app', 'origin', clientData({ origin: `android:apk-key-hash:${'A'.repeat(43)}` })],
    ['localhost', 'origin', clientData({ origin: 'http://localhost:3000' })],
    ['no origin', 'origin', clientData({ origin: undefined })],
    ['a list of origins', 'origin', clientData({ origin: [origin] })],
    ['a frame', 'crossOrigin', clientData({ crossOrigin: true })],
    ['a frame, said oddly', 'crossOrigin', clientData({ crossOrigin: 'false' })],
    ['a page around it', 'topOrigin', clientData({ topOrigin: 'https://evil.example' })],
    ['the RP id of a sibling', 'rpIdHash', { rpId: 'app.wallet.example' }],
    ['the RP id of the parent domain', 'rpIdHash', { rpId: 'example' }],
    ['nobody present', 'UP', { flags: flag.UV }],
    ['nobody verified', 'UV', { flags: flag.UP }],
    ['backed up, never eligible', 'BS', { flags: 0x05 | flag.BS }],
    ['now eligible', 'BE', { flags: 0x05 | flag.BE }],
    ['a new credential in it', 'AT', { flags: 0x05 | flag.AT }],
    ['extensions announced, none there', 'ED', { flags: 0x05 | flag.ED }],
    ['another key', 'signature', { sign: (message) => sign('sha256', message, foreign) }],
    ['another digest', 'signature', { sign: (message) => sign('sha512', message, foreign) }],
    ['no signature', 'signature', { sign: () => Buffer.alloc(0) }],
  ])('%s: %s', (_, cause, deviations) => expectRefused(cause, deviations));

  test('a passkey that was eligible for backup and no longer is', () => {
    expectRefused('BE', { flags: 0x05 }, { credential: { ...credential, backupEligible: true } });
  });

  test('a credential id that is not that of the key', () => {
    const stranger = createSoftwareAuthenticator({ rpId, origin });
    const stamp = JSON.parse(passkey.stamp(body).value);
    const substituted = JSON.stringify({ ...stamp, credentialId: stranger.credentialId });
    expectRefusal('credential id', () => verify(substituted));
    const theirs = { ...credential, credentialId: stranger.credentialId, publicKey: stranger.publicKey };
    expectRefusal('signature', () => verify(substituted, { credential: theirs }));
  });

  test('no origin at all is allowed', () => expectRefused('origin', {}, { origins: [] }));

  test('the pattern for localhost is no origin itself', () => {
    expectRefused('origin', { clientData: { origin: 'http://localhost:*' } }, { origins: ['http://localhost:*'] });
  });

  test('DER with a tail, in long form, with needless zeros', () => {
    const respell = (spell: (der: Buffer) => Buffer) => {
      const stamp = JSON.parse(passkey.stamp(body).value);
      const signature = spell(Buffer.from(stamp.signature, 'base64url')).toString('base64url');
      return () => verify(JSON.stringify({ ...stamp, signature }));
    };
    respell((der) => der)();
    expectRefusal(
      'signature',
      respell((der) => Buffer.concat([der, Buffer.of(0)])),
    );
    expectRefusal(
      'signature',
      respell((der) => Buffer.concat([Buffer.of(0x30, 0x81), der.subarray(1)])),
    );
    expectRefusal(
      'signature',
      respell((der) => Buffer.concat([Buffer.of(0x30, der.length, 2, (der[3] as number) + 1, 0), der.subarray(4)])),
    );
  });

  test('a bit anywhere in what is signed, or in the signature', () => {
    const { value } = passkey.stamp(body);
    const stamp = parseWebauthnStamp(value);
    for (const field of ['authenticatorData', 'clientDataJson', 'signature'] as const) {
      for (let at = 0; at < stamp[field].length; at++) {
        const flipped = Buffer.from(stamp[field]);
        flipped[at] = (flipped[at] as number) ^ 1;
        expect(
          () => verifyWebauthnStamp({ ...expected, stamp: { ...stamp, [field]: flipped } }),
          `${field} ${at}`,
        ).toThrow('could not verify');
      }
    }
  });

  test('client data that is no JSON object, or no UTF-8', () => {
    const stamp = parseWebauthnStamp(passkey.stamp(body).value);
    const texts = ['', 'null', '[]', '7', '{', `\ufeff${stamp.clientDataJson}`, '['.repeat(4096), '{"a":'.repeat(800)];
    const notUtf8 = Buffer.from(stamp.clientDataJson);
    notUtf8[20] = 0xff;
    for (const clientDataJson of [...texts.map((text) => Buffer.from(text)), notUtf8]) {
      expectRefusal('client data', () => verifyWebauthnStamp({ ...expected, stamp: { ...stamp, clientDataJson } }));
    }
  });

  test('`__proto__` in client data gives nothing', () => {
    const stamp = parseWebauthnStamp(passkey.stamp(body).value);
    const clientDataJson = Buffer.from(`{"__proto__":${stamp.clientDataJson}}`);
    expectRefusal('type', () => verifyWebauthnStamp({ ...expected, stamp: { ...stamp, clientDataJson } }));
    expect(({} as { type?: string }).type).toBeUndefined();
  });
});

describe('parsing', () => {
  const { value } = passkey.stamp(body);
  const stamp = JSON.parse(value);
  const refused = (header: string) => {
    let error: unknown;
    try {
      parseWebauthnStamp(header);
    } catch (thrown) {
      error = thrown;
    }
    expect(error, header.slice(0, 80)).toBeInstanceOf(CountersignError);
    expect(error).toMatchObject({ code: 'UNAUTHENTICATED', message: 'could not extract webauthn stamp' });
  };
  const bytes = (length: number) => Buffer.alloc(length, 7).toString('base64url');

  test('has the four members of the official stamper, in its order', () => {
    expect(Object.keys(stamp)).toEqual(['authenticatorData', 'clientDataJson', 'credentialId', 'signature']);
    expect(parseWebauthnStamp(value).credentialId).toBe(passkey.credentialId);
  });

  test('what is malformed gets the 401 of Turnkey', () => {
    for (const header of ['', 'null', '7', '[]', '{}', '{', Buffer.from(value).toString('base64url'), `\ufeff${value}`])
      refused(header);
    refused(`{"__proto__":${value}}`);
    for (const field of Object.keys(stamp)) {
      const { [field]: given, ...rest } = stamp;
      refused(JSON.stringify(rest));
      for (const wrong of [null, 7, {}, [given], '!', `${given}=`, `${given} `, ` ${given}`, `${given}A!`]) {
        refused(JSON.stringify({ ...stamp, [field]: wrong }));
      }
    }
    refused(JSON.stringify({ ...stamp, credentialId: '' }));
  });

  test('base64url that is not canonical', () => {
    expect(parseWebauthnStamp(JSON.stringify({ ...stamp, credentialId: 'AAE' })).credentialId).toBe('AAE');
    for (const credentialId of ['AAF', 'AAG', 'AB', 'A', 'AAA+', 'AAA/', 'AA==', 'AAE=', 'AA\nE']) {
      refused(JSON.stringify({ ...stamp, credentialId }));
    }
  });

  test.each([
    ['credentialId', 1, 1023],
    ['clientDataJson', 0, 4096],
    ['authenticatorData', 37, 1024],
    ['signature', 0, 1024],
  ])('%s has %i to %i bytes', (field, least, most) => {
    for (const length of [least, most]) parseWebauthnStamp(JSON.stringify({ ...stamp, [field]: bytes(length) }));
    refused(JSON.stringify({ ...stamp, [field]: bytes(most + 1) }));
    if (least > 0) refused(JSON.stringify({ ...stamp, [field]: bytes(least - 1) }));
  });

  test('headers longer than 8 KiB are not looked at', () => {
    parseWebauthnStamp(value + ' '.repeat(8192 - value.length));
    refused(value + ' '.repeat(8193 - value.length));
    const started = performance.now();
    refused(`{"a":`.repeat(2_000_000));
    expect(performance.now() - started).toBeLessThan(500);
  });
});

/** Whether @simplewebauthn/server takes the stamp. */
async function askOracle(
  value: string,
  publicKey: Buffer = passkey.publicKey,
  requireUserVerification = true,
): Promise<boolean> {
  const { credentialId, clientDataJson, authenticatorData, signature } = JSON.parse(value);
  try {
    const { verified } = await verifyAuthenticationResponse({
      response: {
        id: credentialId,
        rawId: credentialId,
        type: 'public-key',
        clientExtensionResults: {},
        response: { clientDataJSON: clientDataJson, authenticatorData, signature },
      },
      expectedChallenge: challengeOf(body),
      expectedOrigin: [origin],
      expectedRPID: rpId,
      credential: { id: credentialId, publicKey: Uint8Array.from(publicKey), counter: 0 },
      requireUserVerification,
    });
    return verified;
  } catch {
    return false;
  }
}

describe('@simplewebauthn/server as the oracle', () => {
  /** What we refuse and it takes; nothing else may differ. */
  const stricter = ['BE', 'AT', 'crossOrigin', 'topOrigin'];

  test('agrees about stamps with any deviations', async () => {
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    const member = <T>(right: T, ...wrong: T[]) =>
      fc.oneof({ weight: 6, arbitrary: fc.constant(right) }, fc.constantFrom(...wrong));
    const deviations = fc.record({
      clientData: fc.record({
        type: member('webauthn.get', 'webauthn.create'),
        challenge: member(challengeOf(body), challengeOf(Buffer.from('x')), ''),
        origin: member(origin, 'https://evil.example', 'null'),
        crossOrigin: member<boolean | undefined>(false, true, undefined),
        topOrigin: member<string | undefined>(undefined, 'https://top.example'),
      }),
      rpId: member(rpId, 'evil.example'),
      flags: fc.oneof({ weight: 3, arbitrary: fc.constant(0x05) }, fc.integer({ min: 0, max: 0x3f })),
      signCount: fc.integer({ min: 1, max: 0xffffffff }),
      foreign: member(false, true),
      requireUserVerification: fc.boolean(),
    });
    const verdicts = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(deviations, async ({ foreign, requireUserVerification, ...rest }) => {
        const given: Deviations = foreign ? { ...rest, sign: (message) => sign('sha256', message, other) } : rest;
        const { value } = passkey.stamp(body, given);
        const theirs = await askOracle(value, passkey.publicKey, requireUserVerification);
        let ours = 'verifies';
        try {
          verify(value, { requireUserVerification });
        } catch (error) {
          ours = String((error as Error).cause);
        }
        verdicts.set(ours, (verdicts.get(ours) ?? 0) + 1);
        if (ours === 'verifies') expect(theirs).toBe(true);
        else if (theirs) expect(stricter).toContain(ours);
      }),
      { numRuns: 400 },
    );
    expect(verdicts.get('verifies')).toBeGreaterThan(5);
    expect(verdicts.size).toBeGreaterThan(6);
  });
});
