import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseCoseKey } from '../../../src/stamping/cose-key.ts';

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey;
const { x: ecX = '', y: ecY = '' } = ec.export({ format: 'jwk' });
const [x, y] = [ecX, ecY].map((part) => Buffer.from(part, 'base64url').toString('hex')) as [string, string];
const ed = generateKeyPairSync('ed25519').publicKey;
const edX = Buffer.from(ed.export({ format: 'jwk' }).x as string, 'base64url').toString('hex');
const rsaOf = (modulusLength: number) => {
  const key = generateKeyPairSync('rsa', { modulusLength }).publicKey;
  return { key, n: Buffer.from(key.export({ format: 'jwk' }).n as string, 'base64url').toString('hex') };
};
const { key: rsa, n } = rsaOf(2048);

const es256 = `a5 0102 0326 2001 215820 ${x} 225820 ${y}`;
const rs256 = `a4 0103 03390100 20590100 ${n} 2143010001`;
const eddsa = `a4 0101 0327 2006 215820 ${edX}`;

describe('the three types of key', () => {
  test.each([
    ['ES256', es256, ec],
    ['RS256', rs256, rsa],
    ['EdDSA', eddsa, ed],
  ])('%s', (_, cose, key) => {
    expect(parseCoseKey(hex(cose)).equals(key)).toBe(true);
    // A view into a larger buffer is read at its own offset.
    expect(parseCoseKey(new Uint8Array(Buffer.concat([Buffer.alloc(3), hex(cose)])).subarray(3)).equals(key)).toBe(
      true,
    );
  });

  test('parameters may be in another order', () => {
    expect(parseCoseKey(hex(`a5 225820 ${y} 215820 ${x} 2001 0326 0102`)).equals(ec)).toBe(true);
  });
});

describe('everything else', () => {
  const offCurve = y.endsWith('0') ? '1' : '0';
  test.each([
    ['nothing', ''],
    ['an empty map', 'a0'],
    ['an array', `85 0102 0326 2001 215820 ${x} 225820 ${y}`],
    ['a tail', `${es256} 00`],
    ['a parameter more', `a6 0102 0326 2001 215820 ${x} 225820 ${y} 0400`],
    ['a parameter less', `a4 0102 0326 2001 215820 ${x}`],
    ['a parameter twice', `a5 0102 0326 2001 215820 ${x} 215820 ${x}`],
    ['a key id in place of y', `a5 0102 0326 2001 215820 ${x} 0241aa`],
    ['a point beside the curve', `a5 0102 0326 2001 215820 ${x} 225820 ${y.slice(0, -1)}${offCurve}`],
    ['zeros', `a5 0102 0326 2001 215820 ${'00'.repeat(32)} 225820 ${'00'.repeat(32)}`],
    ['a short coordinate', `a5 0102 0326 2001 21581f ${x.slice(2)} 225820 ${y}`],
    ['text in place of x', `a5 0102 0326 2001 217820 ${x} 225820 ${y}`],
    ['an algorithm in four bytes', `a5 0102 033a00000006 2001 215820 ${x} 225820 ${y}`],
    ['an RSA key with a parameter more', `a5 0103 03390100 20590100 ${n} 2143010001 2201`],
    ['a sign in place of y', `a5 0102 0326 2001 215820 ${x} 22f5`],
    ['P-384', `a5 0102 0326 2002 215820 ${x} 225820 ${y}`],
    ['ES384', `a5 0102 033822 2001 215820 ${x} 225820 ${y}`],
    ['an EC2 key for EdDSA', `a5 0102 0327 2001 215820 ${x} 225820 ${y}`],
    ['an OKP key for ES256', `a4 0101 0326 2006 215820 ${edX}`],
    ['X25519', `a4 0101 0327 2004 215820 ${edX}`],
    ['an Ed25519 key of 31 bytes', `a4 0101 0327 2006 21581f ${edX.slice(2)}`],
    ['RS1', `a4 0103 0339fffe 20590100 ${n} 2143010001`],
    ['an RSA key of 1024 bits', `a4 0103 03390100 205880 ${rsaOf(1024).n} 2143010001`],
    ['an RSA modulus with leading zeros', `a4 0103 03390100 20590101 00${n} 2143010001`],
    ['an even RSA modulus', `a4 0103 03390100 20590100 ${n.slice(0, -2)}00 2143010001`],
    ['an RSA key of 8192 bits', `a4 0103 03390100 20590400 ${'ff'.repeat(1024)} 2143010001`],
    ['the exponent 1', `a4 0103 03390100 20590100 ${n} 214101`],
    ['an even exponent', `a4 0103 03390100 20590100 ${n} 2143010000`],
    ['no exponent', `a4 0103 03390100 20590100 ${n} 2140`],
    ['a long exponent', `a4 0103 03390100 20590100 ${n} 21450100000001`],
    ['text labels', 'a301634f4b500327206745643235353139'],
  ])('%s is refused', (_, cose) => expect(() => parseCoseKey(hex(cose))).toThrow());

  test('a key that ends anywhere before its end', () => {
    for (const cose of [es256, rs256, eddsa].map(hex)) {
      for (let end = 0; end < cose.length; end++) expect(() => parseCoseKey(cose.subarray(0, end))).toThrow();
    }
  });

  test('noise', () => {
    const noise = fc.uint8Array({ maxLength: 100 });
    fc.assert(
      fc.property(noise, (bytes) => {
        expect(() => parseCoseKey(bytes)).toThrow();
      }),
    );
  });
});
