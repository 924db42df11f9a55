import { secp256k1 } from '@noble/curves/secp256k1.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readDerSignature } from '../../../src/stamping/der-signature.ts';

const read = (hex: string) => {
  const signature = readDerSignature(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
  return signature && Buffer.from(signature).toString('hex');
};
const word = (tail: string) => tail.padStart(64, '0');
const high = 'f'.repeat(64);

test('reads what noble writes', () => {
  const scalar = fc.bigInt({ min: 1n, max: secp256k1.Point.Fn.ORDER - 1n });
  const short = fc.bigInt({ min: 1n, max: 0xffffffn });
  fc.assert(
    fc.property(fc.oneof(scalar, short), fc.oneof(scalar, short), (r, s) => {
      const signature = new secp256k1.Signature(r, s);
      expect(read(signature.toHex('der'))).toBe(signature.toHex('compact'));
    }),
  );
});

describe('the edges', () => {
  test.each([
    ['the least', '3006 020101 020102', word('1') + word('2')],
    ['zeros', '3006 020100 020100', word('') + word('')],
    ['the greatest', `3046 022100${high} 022100${high}`, high + high],
    ['needless zeros up to 32 bytes', `3044 0220${word('1')} 0220${word('2')}`, word('1') + word('2')],
    ['nothing', '', undefined],
    ['an empty sequence', '3000', undefined],
    ['an empty integer', '3005 0200 020101', undefined],
    ['one integer', '3003 020101', undefined],
    ['three integers', '3009 020101 020101 020101', undefined],
    ['another tag', '3106 020101 020102', undefined],
    ['another tag for r', '3006 030101 020102', undefined],
    ['another tag for s', '3006 020101 030102', undefined],
    ['a length that says less', '3005 020101 020102', undefined],
    ['a length that says more', '3007 020101 020102', undefined],
    ['a tail', '3006 020101 020102 00', undefined],
    ['a tail within', '3007 020101 020102 00', undefined],
    ['an end too early', '3006 020101 020202', undefined],
    ['the long form', '308106 020101 020102', undefined],
    ['the long form within', '3007 02810101 020102', undefined],
    ['a negative integer', '3006 0201ff 020102', undefined],
    ['a negative integer of 32 bytes', `3025 0220${high} 020101`, undefined],
    ['33 bytes that are no zero and 32 bytes', `3026 022101${high} 020101`, undefined],
    ['a needless zero', '3007 02020001 020102', undefined],
    ['a needless zero before 32 bytes', `3026 02210${'0'.repeat(65)} 020101`, undefined],
    ['34 bytes', `3027 02220000${high} 020101`, undefined],
  ])('%s', (_, der, signature) => expect(read(der)).toBe(signature));
});
