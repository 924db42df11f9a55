import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Cbor, CborError, decode, encode } from '../../../src/protocol/cbor.ts';

const hex = (text: string): Buffer => Buffer.from(text, 'hex');

const value = fc.letrec<{ any: Cbor }>((tie) => ({
  any: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constant(null),
    fc.boolean(),
    fc.maxSafeInteger(),
    fc.integer({ min: -70_000, max: 70_000 }),
    fc.string({ unit: 'binary' }),
    fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes)),
    fc.array(tie('any'), { maxLength: 6 }),
    fc.dictionary(
      fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('__proto__', '10', '2', 'b', 'constructor')),
      tie('any'),
      {
        maxKeys: 6,
      },
    ),
  ),
})).any;

/** RFC 8949 Appendix A, as far as our subset goes. */
const vectors: [string, Cbor][] = [
  ['00', 0],
  ['17', 23],
  ['1818', 24],
  ['18ff', 255],
  ['190100', 256],
  ['19ffff', 65535],
  ['1a00010000', 65536],
  ['1affffffff', 4294967295],
  ['1b0000000100000000', 4294967296],
  ['1b001fffffffffffff', Number.MAX_SAFE_INTEGER],
  ['20', -1],
  ['37', -24],
  ['3818', -25],
  ['3903e7', -1000],
  ['3b001ffffffffffffe', Number.MIN_SAFE_INTEGER],
  ['f4', false],
  ['f5', true],
  ['f6', null],
  ['40', Buffer.alloc(0)],
  ['4401020304', hex('01020304')],
  ['60', ''],
  ['6449455446', 'IETF'],
  ['62c3bc', 'ü'],
  ['64f0908591', '\u{10151}'],
  ['80', []],
  ['8301820203820405', [1, [2, 3], [4, 5]]],
  ['a0', {}],
  ['a26161016162820203', { a: 1, b: [2, 3] }],
];

test.each(vectors)('%s is the one encoding of its value', (bytes, item) => {
  expect(encode(item).toString('hex')).toBe(bytes);
  expect(decode(hex(bytes))).toEqual(item);
});

test('whatever is encoded is decoded to the same value, and encoded to the same bytes again', () => {
  fc.assert(
    fc.property(value, (item) => {
      const bytes = encode(item);
      const back = decode(bytes);
      expect(back).toEqual(item);
      expect(encode(back)).toEqual(bytes);
    }),
    { numRuns: 1000 },
  );
});

test('bytes that decode at all are the encoding of what they decode to', () => {
  fc.assert(
    fc.property(value, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 }), (item, edits) => {
      const bytes = encode(item);
      for (const [at, byte] of edits) bytes[at % bytes.length] = byte;
      let back: Cbor;
      try {
        back = decode(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(CborError);
        return;
      }
      expect(encode(back)).toEqual(bytes);
    }),
    { numRuns: 2000 },
  );
});

test('keys are in the order of their encodings, whatever order they were set in', () => {
  const members: [string, number][] = [
    ['b', 1],
    ['10', 2],
    ['2', 3],
    ['aa', 4],
    ['é', 5],
    ['\u{ffff}', 6],
    ['\u{1f600}', 7],
  ];
  const forward = encode(Object.fromEntries(members));
  expect(encode(Object.fromEntries([...members].reverse()))).toEqual(forward);
  // Of equal length in UTF-8 are 10, aa and é; among them UTF-16 and UTF-8 order agree, for U+FFFF and U+1F600 length decides.
  expect(forward.toString('hex')).toBe('a7613203616201623130026261610462c3a90563efbfbf0664f09f988007');
});

test('members that are undefined are left out', () => {
  expect(encode({ a: undefined, b: 1 })).toEqual(encode({ b: 1 }));
});

test('what was encoded does not change with the next encoding', () => {
  const first = encode({ a: 'x'.repeat(100) });
  const copy = Buffer.from(first);
  encode({ b: 'y'.repeat(100_000) });
  encode({ c: 'z'.repeat(100) });
  expect(first).toEqual(copy);
});

describe('values without an encoding are refused', () => {
  const deep = (levels: number): Cbor => (levels === 0 ? 0 : [deep(levels - 1)]);
  const circular: Record<string, unknown> = {};
  circular.self = circular;
  test.each<[string, unknown]>([
    ['a fraction', 1.5],
    ['NaN', Number.NaN],
    ['2^53', 2 ** 53],
    ['a bigint', 5n],
    ['undefined', undefined],
    ['undefined in an array', [undefined]],
    ['a hole', new Array(1)],
    ['a lone surrogate', 'a\ud800b'],
    ['a lone surrogate as a key', { 'a\udc00': 1 }],
    ['a function', () => 1],
    ['a symbol', Symbol('a')],
    ['a Date', new Date(0)],
    ['a Map', new Map([['a', 1]])],
    ['another typed array', new Uint16Array(2)],
    ['nesting beyond the limit', deep(33)],
    ['a circle', circular],
  ])('%s', (_, item) => {
    expect(() => encode(item as Cbor)).toThrow(CborError);
  });

  test('up to the limit, nesting is encoded and decoded', () => {
    expect(decode(encode(deep(32)))).toEqual(deep(32));
  });
});

describe('bytes that are not deterministic, or not ours, are refused', () => {
  test.each([
    ['nothing', ''],
    ['an integer that is not in its shortest form (1 byte)', '1817'],
    ['an integer that is not in its shortest form (2 bytes)', '1900ff'],
    ['an integer that is not in its shortest form (4 bytes)', '1a0000ffff'],
    ['an integer that is not in its shortest form (8 bytes)', '1b00000000ffffffff'],
    ['2^53', '1b0020000000000000'],
    ['−2^53', '3b001fffffffffffff'],
    ['2^64 − 1', '1bffffffffffffffff'],
    ['a length that is not in its shortest form', '580100'],
    ['an array of indefinite length', '9fff'],
    ['a map of indefinite length', 'bfff'],
    ['a text of indefinite length', '7f6161ff'],
    ['reserved additional information', '1c'],
    ['a tag', 'c000'],
    ['a bignum', 'c24101'],
    ['a float', 'fb3ff8000000000000'],
    ['a half float', 'f93c00'],
    ['undefined', 'f7'],
    ['a simple value', 'f820'],
    ['a break', 'ff'],
    ['two items', '0000'],
    ['a key twice', 'a2616101616102'],
    ['keys out of order', 'a2616201616101'],
    ['a longer key before a shorter one', 'a262616101616202'],
    ['a key that is no text', 'a10101'],
    ['a key without its value', 'a16161'],
    ['text that is not UTF-8', '62c328'],
    ['a surrogate in UTF-8', '63eda080'],
    ['an overlong form in UTF-8', '62c080'],
    ['bytes cut short', '440102'],
    ['a length beyond the end', '5b001fffffffffffff'],
    ['an array longer than the bytes', '9b0000000100000000'],
    ['a map longer than the bytes', 'ba7fffffff'],
    ['nesting beyond the limit', `${'81'.repeat(33)}00`],
    ['nesting far beyond the stack', '81'.repeat(200_000)],
  ])('%s', (_, bytes) => {
    expect(() => decode(hex(bytes))).toThrow(CborError);
  });
});

test('a member called __proto__ is a member like any other', () => {
  const item = JSON.parse('{"__proto__":{"polluted":true},"a":1}') as Cbor;
  const back = decode(encode(item)) as Record<string, Cbor>;
  expect(Object.keys(back).sort()).toEqual(['__proto__', 'a']);
  expect(Object.getPrototypeOf(back)).toBe(Object.prototype);
  expect((back as { polluted?: unknown }).polluted).toBeUndefined();
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
});

test('byte strings are views of what was decoded', () => {
  const bytes = encode([Buffer.from('abc')]);
  const [view] = decode(bytes) as [Uint8Array];
  bytes[bytes.length - 1] = 0x7a;
  expect(Buffer.from(view).toString()).toBe('abz');
});
