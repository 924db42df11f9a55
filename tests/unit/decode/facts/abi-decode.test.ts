import fc from 'fast-check';
import { type AbiParameter, concatHex, encodeAbiParameters, type Hex, pad, toFunctionSelector, toHex } from 'viem';
import { describe, expect, it } from 'vitest';
import { decodeAbi } from '../../../../src/decode/facts/abi-decode.ts';
import { abiFunction } from '../../../../src/decode/facts/abi-function.ts';
import { AbiError } from '../../../../src/decode/facts/abi-types.ts';
import type { JsonValue } from '../../../../src/protocol/json.ts';
import { parametersWithValues } from './abi-arbitrary.ts';

const typeOf = (parameters: readonly AbiParameter[]) => abiFunction('f', parameters as unknown as JsonValue).type;
const bytesOf = (hex: Hex) => Buffer.from(hex.slice(2), 'hex');
const decode = (parameters: readonly AbiParameter[], hex: Hex) => decodeAbi(typeOf(parameters), bytesOf(hex));
const encode = (parameters: readonly AbiParameter[], values: readonly unknown[]) =>
  encodeAbiParameters(parameters, values as never);
const of = (...types: string[]) => types.map((type, index) => ({ name: `p${index}`, type }));
const word = (value: bigint | number) => pad(toHex(value), { size: 32 });

describe('what viem encodes', () => {
  it('is decoded to the same values', () => {
    fc.assert(
      fc.property(parametersWithValues, ({ parameters, values }) => {
        expect(decode(parameters, encode(parameters, values))).toEqual(values);
      }),
      { numRuns: 2_000 },
    );
  });

  it('has the selector that viem says', () => {
    fc.assert(
      fc.property(parametersWithValues, ({ parameters }) => {
        const { selector } = abiFunction('f', parameters as unknown as JsonValue);
        expect(selector).toBe(
          toFunctionSelector({ type: 'function', name: 'f', inputs: parameters, outputs: [], stateMutability: 'view' }),
        );
      }),
    );
  });

  it('is the only encoding that is decoded: altered bytes are refused, or are the encoding of what is shown', () => {
    let decoded = 0;
    fc.assert(
      fc.property(
        parametersWithValues.filter(({ parameters }) => parameters.length > 0),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        ({ parameters, values }, at, flip) => {
          const bytes = bytesOf(encode(parameters, values));
          bytes[at % bytes.length] = (bytes[at % bytes.length] as number) ^ flip;
          let shown: readonly unknown[];
          try {
            shown = decodeAbi(typeOf(parameters), bytes);
          } catch (error) {
            expect(error).toBeInstanceOf(AbiError);
            return;
          }
          decoded++;
          expect(encode(parameters, shown)).toBe(`0x${bytes.toString('hex')}`);
        },
      ),
      { numRuns: 3_000 },
    );
    expect(decoded).toBeGreaterThan(100);
  });

  it('is refused when cut short, or with anything behind it', () => {
    fc.assert(
      fc.property(
        parametersWithValues.filter(({ parameters }) => parameters.length > 0),
        fc.uint8Array({ minLength: 1, maxLength: 64 }),
        fc.nat(),
        ({ parameters, values }, more, cut) => {
          const bytes = bytesOf(encode(parameters, values));
          expect(() => decodeAbi(typeOf(parameters), Buffer.concat([bytes, more]))).toThrow(AbiError);
          expect(() => decodeAbi(typeOf(parameters), bytes.subarray(0, cut % bytes.length))).toThrow(AbiError);
        },
      ),
    );
  });
});

describe('refusals', () => {
  const cases: [string, AbiParameter[], Hex, RegExp][] = [
    ['dirt above an address', of('address'), `0x01${'00'.repeat(11)}${'11'.repeat(20)}`, /padding/],
    ['a bool of 2', of('bool'), word(2), /bool/],
    ['a uint8 of 256', of('uint8'), word(256), /padding/],
    ['an int8 that is not extended', of('int8'), word(0x80), /padding/],
    ['an int8 with a sign of ones above 0x7f', of('int8'), `0x${'ff'.repeat(31)}7f`, /padding/],
    ['dirt behind bytes4', of('bytes4'), `0x11223344${'00'.repeat(27)}01`, /padding/],
    ['dirt behind bytes', of('bytes'), concatHex([word(32), word(1), `0x11${'00'.repeat(30)}01`]), /padding/],
    ['a string that is not UTF-8', of('string'), concatHex([word(32), word(1), `0xff${'00'.repeat(31)}`]), /UTF-8/],
    [
      'two arguments in one place',
      of('bytes', 'bytes'),
      concatHex([word(64), word(64), word(1), `0x11${'00'.repeat(31)}`]),
      /offset/,
    ],
    [
      'arguments in another order',
      of('bytes', 'bytes'),
      concatHex([word(128), word(64), word(1), `0x11${'00'.repeat(31)}`, word(1), `0x22${'00'.repeat(31)}`]),
      /offset/,
    ],
    [
      'a gap before an argument',
      of('bytes'),
      concatHex([word(64), word(0), word(1), `0x11${'00'.repeat(31)}`]),
      /offset/,
    ],
    ['an offset into the head', of('bytes'), concatHex([word(0), word(0)]), /offset/],
    ['an offset of 2^255', of('bytes'), concatHex([word(2n ** 255n), word(0)]), /padding/],
    ['a length of 2^32 − 1', of('uint8[]'), concatHex([word(32), word(2n ** 32n - 1n)]), /longer/],
    ['a length beyond the end', of('bytes'), concatHex([word(32), word(33), word(0)]), /too early/],
    ['no arguments at all', of('uint8'), '0x', /too early/],
  ];
  it.each(cases)('%s', (_, parameters, hex, message) => {
    expect(() => decode(parameters, hex)).toThrow(AbiError);
    expect(() => decode(parameters, hex)).toThrow(message);
  });

  it('nested lengths that promise more than there is cost nothing', () => {
    const hex = concatHex([word(32), word(2n ** 31n), ...Array.from({ length: 500 }, () => word(0))]);
    const started = performance.now();
    expect(() => decode(of('uint8[][][][][]'), hex)).toThrow(AbiError);
    expect(performance.now() - started).toBeLessThan(50);
  });
});

describe('types that are refused', () => {
  it.each([
    ['uint7', /unknown type/],
    ['uint264', /unknown type/],
    ['bytes33', /unknown type/],
    ['bytes0', /unknown type/],
    ['fixed128x18', /unknown type/],
    ['uint8[0]', /length 0/],
    ['__proto__', /unknown type/],
    ['uint8[999999]', /does not fit/],
    [`uint8${'[]'.repeat(9)}`, /levels/],
    ['uint8[1000][1000]', /does not fit/],
  ])('%s', (type, message) => {
    expect(() => typeOf(of(type))).toThrow(message);
    expect(() => typeOf(of(type))).toThrow(AbiError);
  });

  it('tuples nested without end', () => {
    let inner: JsonValue = { name: '', type: 'uint8' };
    for (let depth = 0; depth < 20; depth++) inner = { name: '', type: 'tuple', components: [inner] };
    expect(() => abiFunction('f', [inner])).toThrow(/levels/);
  });
});
