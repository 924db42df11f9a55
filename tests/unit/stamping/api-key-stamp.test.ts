import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { p256 } from '@noble/curves/nist.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { ApiKeyStamper } from '@turnkey/api-key-stamper';
import fc from 'fast-check';
import { hashMessage, hexToBytes } from 'viem';
import { describe, expect, test } from 'vitest';
import { CountersignError } from '../../../src/protocol/errors.ts';
import {
  type ApiKeyCurve,
  type ApiKeyScheme,
  type ApiKeyStamp,
  parseApiKeyStamp,
  verifyApiKeyStamp,
} from '../../../src/stamping/api-key-stamp.ts';
import { isApiPublicKey } from '../../../src/stamping/is-public-key.ts';
import { generateApiKey, makeApiKeyStamp } from '../../../src/stamping/make-api-key-stamp.ts';

const P256 = 'API_KEY_CURVE_P256';
const SECP256K1 = 'API_KEY_CURVE_SECP256K1';
const ED25519 = 'API_KEY_CURVE_ED25519';
const body = Buffer.from('{"type":"ACTIVITY_TYPE_SIGN_RAW_PAYLOAD_V2","timestampMs":"1700000000000"}');

const header = (stamp: unknown): string => Buffer.from(JSON.stringify(stamp)).toString('base64url');
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** A stamp by noble, of which `lowS: false` leaves S as it falls. */
function stampByNoble(
  scheme: ApiKeyScheme,
  secret: Uint8Array,
  message: Uint8Array,
  twist: (r: bigint, s: bigint, n: bigint) => [bigint, bigint] = (r, s) => [r, s],
): ApiKeyStamp {
  const curve = scheme === 'SIGNATURE_SCHEME_TK_API_P256' ? p256 : secp256k1;
  const digest =
    scheme === 'SIGNATURE_SCHEME_TK_API_SECP256K1_EIP191'
      ? hexToBytes(hashMessage({ raw: message }))
      : createHash('sha256').update(message).digest();
  const made = curve.Signature.fromBytes(curve.sign(digest, secret, { prehash: false, lowS: true }));
  const [r, s] = twist(made.r, made.s, curve.Point.Fn.ORDER);
  const signature = new curve.Signature(r, s).toHex('der');
  return { publicKey: hex(curve.getPublicKey(secret, true)), scheme, signature };
}

const secret = createHash('sha256').update('a key for tests').digest();
const ecdsaSchemes: [ApiKeyScheme, ApiKeyCurve][] = [
  ['SIGNATURE_SCHEME_TK_API_P256', P256],
  ['SIGNATURE_SCHEME_TK_API_SECP256K1', SECP256K1],
  ['SIGNATURE_SCHEME_TK_API_SECP256K1_EIP191', SECP256K1],
];

function stampByEd25519(message: Uint8Array): ApiKeyStamp {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const { x = '' } = publicKey.export({ format: 'jwk' });
  return {
    publicKey: hex(Buffer.from(x, 'base64url')),
    scheme: 'SIGNATURE_SCHEME_TK_API_ED25519',
    signature: hex(sign(null, message, privateKey)),
  };
}

describe('published vectors', () => {
  test('a P-256 stamp of the Turnkey CLI', () => {
    const stamp: ApiKeyStamp = {
      publicKey: '0327a50032e6f0631d5605b6ada32b779074f346e81b68e12801640f1c9ee03dae',
      scheme: 'SIGNATURE_SCHEME_TK_API_P256',
      signature:
        '304402203623defd618eb3e219970496407ebe92447317dad75e412bd4a6267c3b5e22230220245b740848a72d08b60d6c84f339737b63db3bcbadb3bd0dcb1bfb865715d8b5',
    };
    expect(verifyApiKeyStamp(stamp, P256, Buffer.from('{"payload": "hello from TKHQ"}'))).toBe(true);
    expect(verifyApiKeyStamp(stamp, P256, Buffer.from('{"payload":"hello from TKHQ"}'))).toBe(false);
  });

  test('an EIP-191 stamp of the Turnkey wallet stamper', () => {
    const stamp: ApiKeyStamp = {
      publicKey: '038318535b54105d4a7aae60c08fc45f9687181b4fdfc625bd1a753fa7397fed75',
      scheme: 'SIGNATURE_SCHEME_TK_API_SECP256K1_EIP191',
      signature:
        '30440220487cdb8a88f2f4044b701cbb116075c4cabe5fe4657a6358b395c0aab70694db02203453a8057e442bd1aff0ecabe8a82c831f0edd7f2158b7c1feb3de9b1f20309b',
    };
    expect(verifyApiKeyStamp(stamp, SECP256K1, Buffer.from('MESSAGE'))).toBe(true);
    expect(verifyApiKeyStamp(stamp, SECP256K1, Buffer.from('MESSAGE2'))).toBe(false);
    const plain: ApiKeyStamp = { ...stamp, scheme: 'SIGNATURE_SCHEME_TK_API_SECP256K1' };
    expect(verifyApiKeyStamp(plain, SECP256K1, Buffer.from('MESSAGE'))).toBe(false);
  });
});

describe('the four schemes', () => {
  test.each(ecdsaSchemes)('%s: any body verifies, with low and high S, and with no other byte', (scheme, curve) => {
    const bodies = fc.uint8Array({ minLength: 1, maxLength: 600 });
    fc.assert(
      fc.property(bodies, fc.nat(), (message, position) => {
        const low = stampByNoble(scheme, secret, message);
        const high = stampByNoble(scheme, secret, message, (r, s, n) => [r, n - s]);
        expect(low.signature).not.toBe(high.signature);
        expect(verifyApiKeyStamp(low, curve, message)).toBe(true);
        expect(verifyApiKeyStamp(high, curve, message)).toBe(true);
        const changed = Uint8Array.from(message, (byte, at) => (at === position % message.length ? byte ^ 1 : byte));
        expect(verifyApiKeyStamp(low, curve, changed)).toBe(false);
      }),
      { numRuns: 25 },
    );
  });

  test('Ed25519 signs the body itself', () => {
    const stamp = stampByEd25519(body);
    expect(verifyApiKeyStamp(stamp, ED25519, body)).toBe(true);
    expect(verifyApiKeyStamp(stamp, ED25519, Buffer.concat([body, Buffer.from(' ')]))).toBe(false);
    const other = stampByEd25519(body);
    expect(verifyApiKeyStamp({ ...stamp, publicKey: other.publicKey }, ED25519, body)).toBe(false);
  });

  test('a scheme does not fit the key of another curve', () => {
    const stamps = [...ecdsaSchemes.map(([scheme]) => stampByNoble(scheme, secret, body)), stampByEd25519(body)];
    const fits = stamps.map((stamp) =>
      [P256, SECP256K1, ED25519].map((curve) => verifyApiKeyStamp(stamp, curve as ApiKeyCurve, body)),
    );
    expect(fits).toEqual([
      [true, false, false],
      [false, true, false],
      [false, true, false],
      [false, false, true],
    ]);
  });

  test.each(ecdsaSchemes)('%s: DER is strict', (scheme, curve) => {
    const { publicKey, signature } = stampByNoble(scheme, secret, body);
    const verdict = (der: string) => verifyApiKeyStamp({ publicKey, scheme, signature: der }, curve, body);
    const content = signature.slice(4);
    const length = signature.slice(2, 4);
    const longer = (by: number) => (Number.parseInt(length, 16) + by).toString(16);
    expect(verdict(signature)).toBe(true);
    expect(verdict(`${signature}00`)).toBe(false);
    expect(verdict(`30${longer(2)}${content}0500`)).toBe(false);
    expect(verdict(`3081${length}${content}`)).toBe(false);
    expect(verdict(signature.slice(0, -2))).toBe(false);
    expect(verdict(`30${longer(-1)}${content.slice(0, -2)}`)).toBe(false);
    expect(verdict(`31${length}${content}`)).toBe(false);
    const r = content.slice(4, 4 + 2 * Number.parseInt(content.slice(2, 4), 16));
    const padded = `02${(r.length / 2 + 1).toString(16)}00${r}${content.slice(4 + r.length)}`;
    expect(verdict(`30${longer(1)}${padded}`)).toBe(false);
    expect(verdict('3006020100020100')).toBe(false);
    expect(verdict(`3026022100${'ff'.repeat(32)}020101`)).toBe(false);
    expect(verdict('')).toBe(false);
  });

  test('an integer of 32 bytes may begin with zeros, as the wallet stamper of Turnkey writes one signature of 128', () => {
    const scheme = 'SIGNATURE_SCHEME_TK_API_SECP256K1_EIP191';
    for (let attempt = 0; ; attempt++) {
      const message = Buffer.from(`${attempt}`);
      const stamp = stampByNoble(scheme, secret, message);
      const { r, s } = secp256k1.Signature.fromHex(stamp.signature, 'der');
      if (r >> 247n !== 0n) continue;
      const integer = (value: bigint) => {
        const digits = value.toString(16).padStart(64, '0');
        return digits[0] && digits[0] >= '8' ? `022100${digits}` : `0220${digits}`;
      };
      const content = integer(r) + integer(s);
      const signature = `30${(content.length / 2).toString(16)}${content}`;
      expect(signature).not.toBe(stamp.signature);
      expect(verifyApiKeyStamp({ ...stamp, signature }, SECP256K1, message)).toBe(true);
      return;
    }
  });

  test('a public key beside the curve, and every signature of noise, is false and never throws', () => {
    const offCurve = `02${'ff'.repeat(32)}`;
    for (const [scheme, curve] of ecdsaSchemes) {
      const stamp = stampByNoble(scheme, secret, body);
      expect(verifyApiKeyStamp({ ...stamp, publicKey: offCurve }, curve, body)).toBe(false);
    }
    const schemes = fc.constantFrom(...ecdsaSchemes, ['SIGNATURE_SCHEME_TK_API_ED25519', ED25519] as const);
    fc.assert(
      fc.property(
        schemes,
        fc.uint8Array({ maxLength: 80 }),
        fc.uint8Array({ minLength: 32, maxLength: 33 }),
        ([scheme, curve], noise, key) => {
          const stamp: ApiKeyStamp = { publicKey: hex(key), scheme, signature: hex(noise) };
          expect(verifyApiKeyStamp(stamp, curve, body)).toBe(false);
        },
      ),
    );
  });
});

describe('the official stamper', () => {
  test('its stamp over any body verifies; ours has its form', async () => {
    const key = generateApiKey();
    const stamper = new ApiKeyStamper({ apiPublicKey: key.publicKey, apiPrivateKey: key.privateKey });
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), async (text) => {
        const theirs = await stamper.stamp(text);
        const ours = makeApiKeyStamp(text, key);
        expect(ours.header).toBe(theirs.stampHeaderName);
        const message = Buffer.from(text);
        for (const value of [theirs.stampHeaderValue, ours.value]) {
          const stamp = parseApiKeyStamp(value);
          expect(stamp.publicKey).toBe(key.publicKey);
          expect(verifyApiKeyStamp(stamp, P256, message)).toBe(true);
        }
        const shape = (value: string) =>
          Buffer.from(value, 'base64url')
            .toString()
            .replace(/30[0-9a-f]+"}$/, '…');
        expect(shape(ours.value)).toBe(shape(theirs.stampHeaderValue));
        expect(ours.value).toMatch(/^[\w-]+$/);
      }),
      { numRuns: 30 },
    );
  });

  test('lone surrogates are stamped as they are sent', async () => {
    const key = generateApiKey();
    const text = 'a\ud800b';
    const stamp = parseApiKeyStamp(makeApiKeyStamp(text, key).value);
    expect(verifyApiKeyStamp(stamp, P256, new TextEncoder().encode(text))).toBe(true);
  });

  test('generated keys are whole, also where the scalar begins with zeros', () => {
    for (let count = 0; count < 300; count++) {
      const key = generateApiKey();
      expect(key.privateKey).toMatch(/^[0-9a-f]{64}$/);
      expect(isApiPublicKey(P256, key.publicKey)).toBe(true);
    }
    const small = '7'.padStart(64, '0');
    const publicKey = hex(p256.getPublicKey(Buffer.from(small, 'hex'), true));
    for (const privateKey of [small, '7']) {
      const stamp = parseApiKeyStamp(makeApiKeyStamp(body, { publicKey, privateKey }).value);
      expect(verifyApiKeyStamp(stamp, P256, body)).toBe(true);
    }
  });

  test('halves of two keys are not taken for a key', () => {
    const [a, b] = [generateApiKey(), generateApiKey()];
    expect(() => makeApiKeyStamp(body, { publicKey: a.publicKey, privateKey: b.privateKey })).toThrow(
      /does not belong/,
    );
  });
});

describe('parsing', () => {
  const stamp = stampByNoble('SIGNATURE_SCHEME_TK_API_P256', secret, body);
  const good = header(stamp);
  const refused = (value: string) => {
    let error: unknown;
    try {
      parseApiKeyStamp(value);
    } catch (thrown) {
      error = thrown;
    }
    expect(error, value.slice(0, 80)).toBeInstanceOf(CountersignError);
    expect(error).toMatchObject({ code: 'UNAUTHENTICATED', message: 'could not extract api key stamp' });
  };

  test('keys in any order, padding or none, digits of either case', () => {
    expect(parseApiKeyStamp(good)).toEqual(stamp);
    const { publicKey, scheme, signature } = stamp;
    expect(parseApiKeyStamp(header({ signature, scheme, publicKey }))).toEqual(stamp);
    expect(
      parseApiKeyStamp(header({ publicKey: publicKey.toUpperCase(), scheme, signature: signature.toUpperCase() })),
    ).toEqual(stamp);
    const paddings = [0, 1, 2].map((spaces) =>
      Buffer.from(JSON.stringify(stamp) + ' '.repeat(spaces)).toString('base64'),
    );
    expect(new Set(paddings.map((text) => text.match(/=*$/)?.[0].length))).toEqual(new Set([0, 1, 2]));
    for (const padded of paddings) expect(parseApiKeyStamp(padded)).toEqual(stamp);
  });

  test('what is malformed gets the 401 of Turnkey', () => {
    refused('');
    refused('=');
    refused('null');
    refused(header(null));
    refused(header([stamp]));
    refused(header('text'));
    refused(`${good}!`);
    refused(` ${good}`);
    refused(`${good.slice(0, 10)} ${good.slice(10)}`);
    refused(Buffer.from(`\ufeff${JSON.stringify(stamp)}`).toString('base64url'));
    refused(Buffer.concat([Buffer.from('{"publicKey":"'), Buffer.of(0xff), Buffer.from('"}')]).toString('base64url'));
    refused(Buffer.from('['.repeat(6000)).toString('base64url'));
    for (const key of ['publicKey', 'scheme', 'signature'] as const) {
      const { [key]: _, ...rest } = stamp;
      refused(header(rest));
      for (const wrong of [null, 7, {}, [], '', ['a'], `${stamp[key]} `, `0x${stamp[key]}`]) {
        refused(header({ ...stamp, [key]: wrong }));
      }
    }
    refused(header({ ...stamp, scheme: 'SIGNATURE_SCHEME_UNSPECIFIED' }));
    refused(header({ ...stamp, scheme: '__proto__' }));
    refused(header({ ...stamp, scheme: 'constructor' }));
    refused(header({ ...stamp, publicKey: `04${'11'.repeat(64)}` }));
    refused(header({ ...stamp, signature: stamp.signature.slice(1) }));
  });

  test('`__proto__` is a name without power', () => {
    refused(Buffer.from(`{"__proto__":${JSON.stringify(stamp)}}`).toString('base64url'));
    expect(
      Object.getPrototypeOf(
        parseApiKeyStamp(Buffer.from(`{"__proto__":{"a":1},${JSON.stringify(stamp).slice(1)}`).toString('base64url')),
      ),
    ).toBe(Object.prototype);
  });

  test('base64url that is not canonical', () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const texts = [0, 1, 2].map((spaces) =>
      Buffer.from(JSON.stringify(stamp) + ' '.repeat(spaces)).toString('base64url'),
    );
    const unfinished = texts.filter((each) => each.length % 4 !== 0);
    expect(unfinished.length).toBe(2);
    for (const each of unfinished) {
      const next = alphabet[alphabet.indexOf(each.at(-1) as string) + 1] as string;
      refused(each.slice(0, -1) + next);
    }
  });

  test('headers longer than 8 KiB are not looked at', () => {
    const filled = (length: number) => {
      const json = JSON.stringify({ ...stamp, more: '' });
      const filler = 'x'.repeat(Math.floor((length * 3) / 4) - json.length);
      return header({ ...stamp, more: filler });
    };
    expect(filled(8192).length).toBe(8192);
    expect(parseApiKeyStamp(filled(8192))).toEqual(stamp);
    expect(filled(8196).length).toBeGreaterThan(8192);
    refused(filled(8196));
    const started = performance.now();
    refused('A'.repeat(10_000_000));
    refused('='.repeat(10_000_000));
    expect(performance.now() - started).toBeLessThan(1000);
  });

  test('any text either parses or is refused', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.json().map((json) => Buffer.from(json).toString('base64url')),
        ),
        (text) => refused(text),
      ),
    );
  });
});

describe('public keys to register', () => {
  test('points on the curve and no others', () => {
    const p = hex(p256.getPublicKey(secret, true));
    const k = hex(secp256k1.getPublicKey(secret, true));
    const e = stampByEd25519(body).publicKey;
    expect(isApiPublicKey(P256, p)).toBe(true);
    expect(isApiPublicKey(SECP256K1, k)).toBe(true);
    expect(isApiPublicKey(ED25519, e)).toBe(true);
    for (const curve of [P256, SECP256K1, ED25519] as const) {
      for (const wrong of [
        '',
        'zz',
        '00',
        p.slice(2),
        `05${p.slice(2)}`,
        p.toUpperCase(),
        `${p}00`,
        `02${'ff'.repeat(32)}`,
      ]) {
        if (curve === ED25519 && wrong === p.slice(2)) continue;
        expect(isApiPublicKey(curve, wrong), `${curve} ${wrong}`).toBe(false);
      }
      expect(isApiPublicKey(curve, hex(p256.getPublicKey(secret, false)))).toBe(false);
    }
  });

  test.each([
    [P256, p256],
    [SECP256K1, secp256k1],
  ] as const)('%s: agrees with noble about any x', (name, curve) => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.constantFrom(2, 3), (x, sign) => {
        const point = Buffer.from([sign, ...x]);
        expect(isApiPublicKey(name, hex(point))).toBe(curve.utils.isValidPublicKey(point, true));
      }),
    );
  });

  test('Ed25519 keys of small order, under which one signature fits every message, are refused', () => {
    const zero = '00'.repeat(32);
    const identity = `01${'00'.repeat(31)}`;
    const minusOne = `ec${'ff'.repeat(30)}7f`;
    const orderEight = 'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a';
    const notCanonical = `ee${'ff'.repeat(30)}7f`;
    for (const key of [zero, identity, minusOne, orderEight, notCanonical, `02${'00'.repeat(31)}`]) {
      expect(isApiPublicKey(ED25519, key), key).toBe(false);
    }
  });
});
