import { createPublicKey, randomBytes, verify } from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';
import { p256 as nobleP256 } from '@noble/curves/nist.js';
import { secp256k1 as nobleSecp256k1 } from '@noble/curves/secp256k1.js';
import { describe, expect, it } from 'vitest';
import { generateSecret, isValidSecret, publicKeyOf, signBytes } from '../../../src/enclave/keys/curve.ts';
import { p256 } from '../../../src/enclave/keys/p256.ts';
import { portable, secp256k1, secp256k1IsNative } from '../../../src/enclave/keys/secp256k1.ts';

const curves = ['CURVE_SECP256K1', 'CURVE_P256', 'CURVE_ED25519'] as const;
const ecdsaOrders = {
  CURVE_SECP256K1: 'fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141',
  CURVE_P256: 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551',
} as const;
const reference = { CURVE_SECP256K1: nobleSecp256k1, CURVE_P256: nobleP256 } as const;
const bytes = (hex: string) => Buffer.from(hex, 'hex');
const integer = (value: bigint) => bytes(value.toString(16).padStart(64, '0'));

describe('known answers', () => {
  it('RFC 8032 7.1, test 2', () => {
    const secret = bytes('4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb');
    expect(publicKeyOf('CURVE_ED25519', secret)).toBe(
      '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    );
    expect(signBytes('CURVE_ED25519', secret, bytes('72'))).toEqual({
      r: '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da',
      s: '085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
      v: '00',
    });
  });

  it('RFC 6979 A.2.5, P-256 with SHA-256 of "sample", with s brought below half the order', () => {
    const secret = bytes('c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721');
    expect(publicKeyOf('CURVE_P256', secret)).toBe(
      '0360fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6',
    );
    const digest = bytes('af2bdbe1aa9b6ec1e2ade1d694f41fc71a831d0268e9891562113d8a62add1bf');
    const highS = BigInt('0xf7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8');
    const { r, s } = signBytes('CURVE_P256', secret, digest);
    expect(r).toBe('efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716');
    expect(BigInt(`0x${s}`)).toBe(BigInt(`0x${ecdsaOrders.CURVE_P256}`) - highS);
  });

  it('secp256k1 with RFC 6979 over SHA-256 of "Satoshi Nakamoto", key 1', () => {
    const digest = bytes('a0dc65ffca799873cbea0ac274015b9526505daaaed385155425f7337704883e');
    expect(signBytes('CURVE_SECP256K1', integer(1n), digest)).toMatchObject({
      r: '934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d8',
      s: '2442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5',
    });
    expect(publicKeyOf('CURVE_SECP256K1', integer(1n))).toBe(
      '0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798',
    );
  });
});

describe.each(['CURVE_SECP256K1', 'CURVE_P256'] as const)('%s', (curve) => {
  it('signs as the reference does, with low s and the recovery id of its own public key', () => {
    const order = BigInt(`0x${ecdsaOrders[curve]}`);
    const parities = new Set<string>();
    for (let round = 0; round < 40; round++) {
      const secret = generateSecret(curve, randomBytes);
      const digest = randomBytes(32);
      const { r, s, v } = signBytes(curve, secret, digest);
      const expected = reference[curve].sign(digest, secret, { prehash: false, lowS: true, format: 'recovered' });
      expect(v + r + s).toBe(Buffer.from(expected).toString('hex'));
      expect(BigInt(`0x${s}`) <= order / 2n).toBe(true);
      const signature = reference[curve].Signature.fromBytes(bytes(v + r + s), 'recovered');
      expect(signature.recoverPublicKey(digest).toHex(true)).toBe(publicKeyOf(curve, secret));
      parities.add(v);
    }
    expect([...parities].sort()).toEqual(['00', '01']);
  });

  it('keeps leading zeros of r and s', () => {
    const secret = integer(7n);
    const signatures = Array.from({ length: 400 }, (_, n) => signBytes(curve, secret, integer(BigInt(n))));
    expect(signatures.filter(({ r, s }) => r.startsWith('00') || s.startsWith('00')).length).toBeGreaterThan(0);
    for (const { r, s } of signatures) expect([r, s].join(' ')).toMatch(/^[0-9a-f]{64} [0-9a-f]{64}$/);
  });

  it('takes scalars from 1 to the order − 1', () => {
    const order = BigInt(`0x${ecdsaOrders[curve]}`);
    expect(
      [0n, 1n, order - 1n, order, order + 1n, 2n ** 256n - 1n].map((n) => isValidSecret(curve, integer(n))),
    ).toEqual([false, true, true, false, false, false]);
    expect(isValidSecret(curve, Buffer.alloc(31, 1))).toBe(false);
    expect(isValidSecret(curve, Buffer.alloc(33, 1))).toBe(false);
  });

  it('draws again when the random bytes are no scalar', () => {
    const draws = [Buffer.alloc(32), Buffer.alloc(32, 0xff), integer(5n)];
    expect(generateSecret(curve, () => draws.shift() as Buffer)).toEqual(integer(5n));
    expect(draws).toEqual([]);
  });

  it('refuses a digest that is not 32 bytes', () => {
    expect(() => signBytes(curve, integer(5n), Buffer.alloc(31))).toThrow();
    expect(() => signBytes(curve, integer(5n), Buffer.alloc(33))).toThrow();
  });
});

describe.each([
  ['native secp256k1', secp256k1, 'CURVE_SECP256K1'],
  ['portable secp256k1', portable(), 'CURVE_SECP256K1'],
  ['P-256', p256, 'CURVE_P256'],
] as const)('%s', (_name, implementation, curve) => {
  const order = BigInt(`0x${ecdsaOrders[curve]}`);
  const add = (a: bigint, b: bigint) => {
    const sum = integer(a);
    return implementation.add(sum, integer(b)) ? BigInt(`0x${sum.toString('hex')}`) : null;
  };

  it('adds modulo the order', () => {
    for (let round = 0; round < 200; round++) {
      const [a, b] = [0, 0].map(() => BigInt(`0x${generateSecret(curve, randomBytes).toString('hex')}`)) as [
        bigint,
        bigint,
      ];
      expect(add(a, b)).toBe((a + b) % order);
    }
    expect(add(order - 1n, 2n)).toBe(1n);
    expect(add(order - 1n, order - 1n)).toBe(order - 2n);
  });

  it('refuses a sum of zero and what is no scalar', () => {
    expect(add(order - 1n, 1n)).toBe(null);
    expect(add(1n, order)).toBe(null);
    expect(add(1n, 2n ** 256n - 1n)).toBe(null);
  });

  it('agrees with the reference on keys and signatures', () => {
    for (let round = 0; round < 10; round++) {
      const secret = generateSecret(curve, randomBytes);
      const digest = randomBytes(32);
      expect(Buffer.from(implementation.publicKey(secret))).toEqual(Buffer.from(reference[curve].getPublicKey(secret)));
      const { signature, recoveryId } = implementation.sign(digest, secret);
      const expected = reference[curve].sign(digest, secret, { prehash: false, lowS: true, format: 'recovered' });
      expect(Buffer.from([recoveryId, ...signature])).toEqual(Buffer.from(expected));
    }
  });
});

describe('CURVE_ED25519', () => {
  it('signs and names its key as the reference does, and OpenSSL verifies', () => {
    for (let round = 0; round < 20; round++) {
      const secret = generateSecret('CURVE_ED25519', randomBytes);
      const message = randomBytes(round * 7);
      const publicKey = publicKeyOf('CURVE_ED25519', secret);
      const { r, s, v } = signBytes('CURVE_ED25519', secret, message);
      expect(publicKey).toBe(Buffer.from(ed25519.getPublicKey(secret)).toString('hex'));
      expect(r + s).toBe(Buffer.from(ed25519.sign(message, secret)).toString('hex'));
      expect(v).toBe('00');
      const key = createPublicKey({ key: bytes(publicKey), format: 'raw-public', asymmetricKeyType: 'ed25519' });
      expect(verify(null, message, key, bytes(r + s))).toBe(true);
    }
  });
});

it.each(curves)('%s leaves the secret as it was', (curve) => {
  const secret = generateSecret(curve, randomBytes);
  const before = Buffer.from(secret);
  publicKeyOf(curve, secret);
  signBytes(curve, secret, randomBytes(32));
  expect(secret).toEqual(before);
});

it.runIf(process.platform === 'linux' && process.arch === 'x64')(
  'uses the native binding where one is prebuilt',
  () => {
    expect(secp256k1IsNative).toBe(true);
  },
);
