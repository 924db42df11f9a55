import { decodeRlp as ethersDecode, encodeRlp as ethersEncode } from 'ethers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeRlp, encodeRlp, RlpError, type RlpItem, rlpInteger } from '../../../src/decode/rlp.ts';

const bytes = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex');

const { item: items } = fc.letrec<{ item: RlpItem }>((tie) => ({
  item: fc.oneof(
    { depthSize: 'small' },
    fc.uint8Array({ maxLength: 80 }).map((value): RlpItem => Buffer.from(value)),
    fc.array(tie('item'), { maxLength: 5 }).map((list): RlpItem => list),
  ),
}));

const depth = (item: RlpItem): number => (Buffer.isBuffer(item) ? 0 : 1 + Math.max(0, ...item.map(depth)));
const toHex = (item: RlpItem): unknown => (Buffer.isBuffer(item) ? `0x${item.toString('hex')}` : item.map(toHex));

describe('examples of the specification', () => {
  it.each([
    ['83646f67', 'dog'],
    ['80', ''],
    ['00', '\x00'],
    ['0f', '\x0f'],
    ['820400', '\x04\x00'],
    [`b838${'61'.repeat(56)}`, 'a'.repeat(56)],
    [`b7${'61'.repeat(55)}`, 'a'.repeat(55)],
    [`b90400${'61'.repeat(1024)}`, 'a'.repeat(1024)],
  ])('%s', (hex, text) => {
    expect(decodeRlp(bytes(hex))).toEqual(Buffer.from(text, 'latin1'));
    expect(encodeRlp(Buffer.from(text, 'latin1')).toString('hex')).toBe(hex);
  });

  it('nested lists', () => {
    const item: RlpItem = [[], [[]], [[], [[]]]];
    expect(encodeRlp(item).toString('hex')).toBe('c7c0c1c0c3c0c1c0');
    expect(decodeRlp(bytes('c7c0c1c0c3c0c1c0'))).toEqual(item);
  });

  it('integers', () => {
    const encoded = [0n, 1n, 127n, 128n, 1024n, 2n ** 256n - 1n].map((n) => encodeRlp(rlpInteger(n)).toString('hex'));
    expect(encoded).toEqual(['80', '01', '7f', '8180', '820400', `a0${'ff'.repeat(32)}`]);
  });
});

it('decodes what it encodes, as ethers does', () => {
  fc.assert(
    fc.property(items, (item) => {
      const encoded = encodeRlp(item);
      expect(`0x${encoded.toString('hex')}`).toBe(ethersEncode(toHex(item) as string));
      if (depth(item) <= 8) expect(decodeRlp(encoded)).toEqual(item);
    }),
  );
});

it('takes no bytes but those it would write itself, and fails with RlpError', () => {
  const structured = fc.tuple(items, fc.nat(), fc.nat(255)).map(([item, at, value]) => {
    const encoded = Buffer.from(encodeRlp(item));
    encoded[at % encoded.length] = value;
    return encoded;
  });
  const anything = fc.uint8Array({ maxLength: 70 }).map((value) => Buffer.from(value));
  fc.assert(
    fc.property(fc.oneof(structured, anything), (input) => {
      let item: RlpItem;
      try {
        item = decodeRlp(input);
      } catch (error) {
        expect(error).toBeInstanceOf(RlpError);
        return;
      }
      expect(encodeRlp(item)).toEqual(input);
      expect(toHex(item)).toEqual(ethersDecode(`0x${input.toString('hex')}`));
    }),
    { numRuns: 2000 },
  );
});

describe('refusals', () => {
  it.each([
    ['nothing', ''],
    ['a byte with a needless length', '8100'],
    ['a byte with a needless length (0x7f)', '817f'],
    ['a long form for 55 bytes', `b837${'61'.repeat(55)}`],
    ['a long form for an empty string', 'b800'],
    ['a long form for a short list', 'f800'],
    ['a length with a leading zero', `b90038${'61'.repeat(56)}`],
    ['bytes after the item', '8000'],
    ['bytes after a list', 'c000'],
    ['a string that is cut', '83646f'],
    ['a list that is cut', 'c38080'],
    ['an item longer than its list', 'c1 83 646f67'],
    ['a length that is cut', 'b9'],
    ['a length that is cut inside a list', 'c2 b904'],
    ['a length of eight bytes', `bf ${'ff'.repeat(8)}`],
    ['a length of seven bytes', `be ${'01'.repeat(7)} 00`],
    ['a list length of six bytes', `fd ${'7f'.repeat(6)} 00`],
    ['nesting of nine', 'c8c7c6c5c4c3c2c1c0'],
    ['deep nesting', 'c1'.repeat(1_000_000)],
  ])('%s', (_name, hex) => {
    expect(() => decodeRlp(bytes(hex))).toThrow(RlpError);
  });

  it('takes nesting of eight', () => {
    expect(depth(decodeRlp(bytes('c7c6c5c4c3c2c1c0')))).toBe(8);
  });
});
