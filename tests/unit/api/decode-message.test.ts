import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeMessage } from '../../../src/api/decode-message.ts';
import { type Cbor, decode, encode } from '../../../src/protocol/cbor.ts';

const { value } = fc.letrec<{ value: Cbor }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(null, true, false),
    fc.maxSafeInteger(),
    fc.string({ unit: 'grapheme' }),
    fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    fc.array(tie('value'), { maxLength: 6 }),
    fc.dictionary(
      fc.string({ maxLength: 12 }).filter((key) => key !== '__proto__'),
      tie('value'),
      { maxKeys: 6, noNullPrototype: true },
    ),
  ),
}));

test('reads what the enclave writes as the strict decoder does', () => {
  fc.assert(
    fc.property(value, (each) => {
      const bytes = encode(each);
      expect(decodeMessage(bytes)).toEqual(decode(bytes));
    }),
    { numRuns: 500 },
  );
});
