import { TypedDataEncoder } from 'ethers';
import fc from 'fast-check';
import { serializeTypedData, type TypedDataDefinition, hashTypedData as viemHash } from 'viem';
import { describe, expect, it } from 'vitest';
import { hashTypedData } from '../../../src/decode/typed-data.ts';
import { thrownBy } from './thrown-by.ts';

type Fields = { name: string; type: string }[];
type Document = {
  types: Record<string, Fields>;
  primaryType: string;
  domain: Record<string, unknown>;
  message: unknown;
};

const digest = (document: unknown) => `0x${hashTypedData(JSON.stringify(document)).toString('hex')}`;

const domainType: Fields = [
  { name: 'name', type: 'string' },
  { name: 'version', type: 'string' },
  { name: 'chainId', type: 'uint256' },
  { name: 'verifyingContract', type: 'address' },
];

/** The example of EIP-712. */
const mail: Document = {
  types: {
    EIP712Domain: domainType,
    Person: [
      { name: 'name', type: 'string' },
      { name: 'wallet', type: 'address' },
    ],
    Mail: [
      { name: 'from', type: 'Person' },
      { name: 'to', type: 'Person' },
      { name: 'contents', type: 'string' },
    ],
  },
  primaryType: 'Mail',
  domain: {
    name: 'Ether Mail',
    version: '1',
    chainId: 1,
    verifyingContract: '0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC',
  },
  message: {
    from: { name: 'Cow', wallet: '0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826' },
    to: { name: 'Bob', wallet: '0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB' },
    contents: 'Hello, Bob!',
  },
};

const { EIP712Domain: _domain, ...mailTypes } = mail.types;

describe('the example of EIP-712', () => {
  const expected = '0xbe609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2';

  it('has its digest', () => {
    expect(digest(mail)).toBe(expected);
  });

  it('with the domain type derived from the domain, whatever the order of its members', () => {
    const domain = Object.fromEntries(Object.entries(mail.domain).reverse());
    expect(digest({ ...mail, types: mailTypes, domain })).toBe(expected);
  });

  it('with the text of the official clients', () => {
    expect(`0x${hashTypedData(serializeTypedData(mail as never)).toString('hex')}`).toBe(expected);
    const payload = TypedDataEncoder.getPayload(mail.domain, mailTypes, mail.message as Record<string, unknown>);
    expect(digest(payload)).toBe(expected);
  });

  it.each([
    ['digits', '1'],
    ['hex', '0x01'],
  ])('with integers in %s', (_name, chainId) => {
    expect(digest({ ...mail, domain: { ...mail.domain, chainId } })).toBe(expected);
  });

  it('with members of the message that its type does not name', () => {
    expect(digest({ ...mail, message: { ...(mail.message as object), more: 1 } })).toBe(expected);
  });
});

describe('domains', () => {
  const note = { types: { Note: [{ name: 'text', type: 'string' }] }, primaryType: 'Note', message: { text: 'ü' } };
  const salt = `0x${'ab'.repeat(32)}`;

  it.each<[string, Record<string, unknown>]>([
    ['empty', {}],
    ['a name', { name: 'App' }],
    ['a chain', { chainId: 137 }],
    ['a salt', { salt }],
    ['all', { ...mail.domain, salt }],
  ])('%s: as ethers', (_name, domain) => {
    expect(digest({ ...note, domain })).toBe(TypedDataEncoder.hash(domain, note.types, note.message));
  });

  it('none at all is an empty one', () => {
    expect(digest(note)).toBe(TypedDataEncoder.hash({}, note.types, note.message));
  });

  it('with EIP712Domain in an order of its own: as viem', () => {
    const document = { ...mail, types: { ...mail.types, EIP712Domain: [...domainType].reverse() } };
    expect(digest(document)).toBe(viemHash(document as unknown as TypedDataDefinition));
    expect(digest(document)).not.toBe(digest(mail));
  });

  it('the domain alone, as primary type: as viem', () => {
    const document = { ...mail, primaryType: 'EIP712Domain', message: {} };
    expect(digest(document)).toBe(viemHash(document as unknown as TypedDataDefinition));
    expect(digest({ ...document, message: undefined })).toBe(digest(document));
  });

  it('types whose name has a colon: as viem', () => {
    const primaryType = 'HyperliquidTransaction:UsdSend';
    const document = {
      ...mail,
      types: { EIP712Domain: domainType, [primaryType]: [{ name: 'amount', type: 'string' }] },
    };
    const typed = { ...document, primaryType, message: { amount: '1' } };
    expect(digest(typed)).toBe(viemHash(typed as unknown as TypedDataDefinition));
  });
});

describe('generated types and values', () => {
  const hex = (constraints: fc.IntArrayConstraints) =>
    fc.uint8Array(constraints).map((bytes) => `0x${Buffer.from(bytes).toString('hex')}`);
  const bits = fc.integer({ min: 1, max: 32 }).map((bytes) => bytes * 8);
  const atom = fc.oneof(
    fc.constantFrom('address', 'bool', 'string', 'bytes'),
    bits.map((size) => `uint${size}`),
    bits.map((size) => `int${size}`),
    fc.integer({ min: 1, max: 32 }).map((size) => `bytes${size}`),
  );
  const dimensions = fc.oneof(
    { weight: 4, arbitrary: fc.constant('') },
    { weight: 2, arbitrary: fc.constantFrom('[]', '[2]', '[0]', '[][2]', '[1][]') },
  );

  /** Struct `S<n>` is made of atoms and of structs with a smaller number, so none is part of itself. */
  const types: fc.Arbitrary<Record<string, Fields>> = fc
    .array(fc.array(fc.tuple(atom, dimensions, fc.option(fc.nat())), { minLength: 1, maxLength: 5 }), {
      minLength: 1,
      maxLength: 4,
    })
    .map((structs) => {
      const entries = structs.map((fields, number) => {
        const typed = fields.map(([type, suffix, pick], index) => {
          const base = pick !== null && number > 0 ? `S${pick % number}` : type;
          return { name: `f${index}`, type: base + suffix };
        });
        // The last struct holds all others: ethers wants one root.
        const last = number === structs.length - 1;
        const others = last ? structs.slice(0, -1).map((_, n) => ({ name: `s${n}`, type: `S${n}` })) : [];
        return [`S${number}`, [...typed, ...others]] as [string, Fields];
      });
      return Object.fromEntries<Fields>(entries);
    });

  function arbitraryOf(type: string, all: Record<string, Fields>): fc.Arbitrary<unknown> {
    const array = /^(.*)\[(\d*)\]$/.exec(type);
    if (array) {
      const length = array[2] === '' ? { maxLength: 3 } : { minLength: Number(array[2]), maxLength: Number(array[2]) };
      return fc.array(arbitraryOf(array[1] as string, all), length);
    }
    const fields = all[type];
    if (fields) return fc.record(Object.fromEntries(fields.map((field) => [field.name, arbitraryOf(field.type, all)])));
    if (type === 'address') return hex({ minLength: 20, maxLength: 20 });
    if (type === 'bool') return fc.boolean();
    if (type === 'string') return fc.string({ unit: 'binary' });
    if (type === 'bytes') return hex({ maxLength: 70 });
    const size = Number(/\d+$/.exec(type)?.[0]);
    if (type.startsWith('bytes')) return hex({ minLength: size, maxLength: size });
    const signed = type.startsWith('int');
    const low = signed ? -(2n ** BigInt(size - 1)) : 0n;
    const high = signed ? 2n ** BigInt(size - 1) - 1n : 2n ** BigInt(size) - 1n;
    return fc.oneof(fc.constantFrom(low, high), fc.bigInt(low, high)).map(String);
  }

  const documents = types.chain((all) => {
    const primaryType = Object.keys(all).at(-1) as string;
    return arbitraryOf(primaryType, all).map((message) => ({ types: all, primaryType, message }));
  });

  it('hash as with ethers and viem', () => {
    const domain = { name: 'Ä', chainId: 5 };
    fc.assert(
      fc.property(documents, ({ types: all, primaryType, message }) => {
        const expected = TypedDataEncoder.hash(domain, all, message as Record<string, unknown>);
        expect(digest({ types: all, primaryType, domain, message })).toBe(expected);
        const withDomain = { EIP712Domain: [domainType[0], domainType[2]], ...all };
        const typed = { types: withDomain, primaryType, domain, message } as unknown as TypedDataDefinition;
        expect(viemHash(typed)).toBe(expected);
        expect(digest(typed)).toBe(expected);
      }),
      { numRuns: 200 },
    );
  });
});

describe('refusals', () => {
  const one = (type: string, value: unknown) => ({
    types: { T: [{ name: 'x', type }] },
    primaryType: 'T',
    domain: {},
    message: { x: value },
  });
  const withTypes = (types: unknown) => ({ ...mail, types });
  const refused = (text: string) => {
    const error = thrownBy(() => hashTypedData(text));
    expect(error.code).toBe('INVALID_ARGUMENT');
    expect(error.facts.fields?.[0]?.field).toBe('parameters.payload');
    expect(error.message).toBe(`invalid typed data: ${error.facts.fields?.[0]?.description}`);
    return error.message;
  };

  it.each<[string, string, RegExp]>([
    ['no JSON', 'x', /expected a JSON value/],
    ['an array', '[]', /expected a JSON object/],
    ['null', 'null', /expected a JSON object/],
    ['a member twice', '{"domain":{},"domain":{}}', /given twice/],
    ['half of a surrogate pair', JSON.stringify(one('string', 'x')).replace('"x":"x"', '"x":"\\ud800"'), /surrogate/],
    [
      'an integer that a double does not hold',
      JSON.stringify(one('uint256', 0)).replace(':0', ':9007199254740993'),
      /2\^53/,
    ],
    ['nesting', `${'['.repeat(100_000)}`, /nested deeper/],
    ['a long text', `{"domain":${' '.repeat(300_000)}{}}`, /at most 262144 characters/],
  ])('%s', (_name, text, message) => {
    expect(refused(text)).toMatch(message);
  });

  it.each<[string, unknown, RegExp]>([
    ['an unknown member', { ...mail, extra: 1 }, /extra: unknown field/],
    ['no types', { ...mail, types: undefined }, /types: expected an object/],
    ['types as a list', withTypes([]), /types: expected an object/],
    ['a type that is no list', withTypes({ ...mail.types, Mail: {} }), /types\.Mail: expected a list/],
    ['a field that is no object', withTypes({ Mail: ['x'] }), /types\.Mail\.0: expected \{name, type\}/],
    ['a field without a type', withTypes({ Mail: [{ name: 'x' }] }), /types\.Mail\.0\.type: expected the name/],
    ['a field name of two words', withTypes({ Mail: [{ name: 'a b', type: 'bool' }] }), /identifier/],
    ['a field name that ends a definition', withTypes({ Mail: [{ name: 'a)B(bool b', type: 'bool' }] }), /identifier/],
    [
      'a field name twice',
      withTypes({
        Mail: [
          { name: 'x', type: 'bool' },
          { name: 'x', type: 'string' },
        ],
      }),
      /types\.Mail\.1\.name: given twice/,
    ],
    ['a struct named as an elementary type', withTypes({ ...mail.types, uint8: [] }), /types\.uint8: not a name/],
    ['a struct named with brackets', withTypes({ ...mail.types, 'A[]': [] }), /not a name/],
    ['an unknown type', one('Missing', {}), /types\.T\.0\.type: unknown type/],
    ['an unknown type in a list', one('Missing[]', []), /types\.T\.0\.type: unknown type/],
    [
      'an unknown type in a struct that is not used',
      withTypes({ ...mail.types, U: [{ name: 'x', type: 'Y' }] }),
      /types\.U\.0/,
    ],
    ...['uint', 'int', 'uint7', 'uint264', 'uint08', 'int0', 'bytes0', 'bytes33', 'fixed128x18', 'function', ''].map(
      (type): [string, unknown, RegExp] => [`the type ${type}`, one(type, 0), /types\.T\.0\.type: unknown type/],
    ),
    ['a negative length', one('bool[-1]', []), /unknown type/],
    ['nine dimensions', one(`bool${'[]'.repeat(9)}`, []), /at most 8 dimensions/],
    [
      'a type that holds itself',
      withTypes({ Mail: [{ name: 'm', type: 'Mail[]' }] }),
      /types\.Mail: the type is part of itself/,
    ],
    [
      'two types that hold each other',
      withTypes({ Mail: [{ name: 'b', type: 'B' }], B: [{ name: 'm', type: 'Mail' }] }),
      /the type is part of itself/,
    ],
    [
      '65 types',
      withTypes(Object.fromEntries(Array.from({ length: 65 }, (_, n) => [`T${n}`, []]))),
      /at most 32 types/,
    ],
    [
      '257 fields',
      withTypes({ Mail: Array.from({ length: 257 }, (_, n) => ({ name: `f${n}`, type: 'bool' })) }),
      /at most 256 fields/,
    ],
    ['no primary type', { ...mail, primaryType: undefined }, /primaryType: expected the name/],
    ['an unknown primary type', { ...mail, primaryType: 'Other' }, /primaryType: expected the name/],
    ['an inherited name', { ...mail, primaryType: 'constructor' }, /primaryType: expected the name/],
    ['an array as primary type', { ...mail, primaryType: 'Mail[]' }, /primaryType: expected the name/],
    ['no message', { ...mail, message: undefined }, /message: expected an object of type Mail/],
    ['a message beside the domain', { ...mail, primaryType: 'EIP712Domain' }, /message: expected none/],
    ['a missing field', { ...mail, message: {} }, /message\.from: expected this field/],
    ['null for a struct', { ...mail, message: { from: null } }, /message\.from: expected an object of type Person/],
    ['a domain that is no object', { ...mail, domain: 'x' }, /domain: expected an object/],
    [
      'a domain member that is not signed',
      { ...mail, domain: { ...mail.domain, salt: '0x' } },
      /domain\.salt: not a field/,
    ],
    ['an unknown domain member', { ...mail, types: mailTypes, domain: { chain: 1 } }, /domain\.chain: not a field/],
    ['a missing domain member', { ...mail, domain: { name: 'x' } }, /domain\.version: expected this field/],
  ])('%s', (_name, document, message) => {
    expect(refused(JSON.stringify(document))).toMatch(message);
  });

  it.each<[string, unknown, RegExp]>([
    ['uint8', 256, /out of the range of uint8/],
    ['uint8', -1, /out of the range of uint8/],
    ['int8', 128, /out of the range of int8/],
    ['int8', '-129', /out of the range of int8/],
    ['uint256', (2n ** 256n).toString(), /out of the range of uint256/],
    ['int256', (2n ** 255n).toString(), /out of the range of int256/],
    ['uint256', `0x1${'0'.repeat(64)}`, /expected an integer/],
    ['uint256', '9'.repeat(100_000), /expected an integer/],
    ['uint256', 1.5, /expected an integer/],
    ['uint256', 1e300, /2\^53/],
    ...['', '0x', ' 1', '1 ', '1e3', '1.0', '+1', '0b1', '--1', '-', '-0x1', '1n', '٣'].map(
      (value): [string, unknown, RegExp] => ['uint256', value, /message\.x: expected an integer/],
    ),
    ['uint256', true, /expected an integer/],
    ['uint256', null, /expected an integer/],
    ['uint256', [1], /expected an integer/],
    ['bool', 1, /expected true or false/],
    ['bool', 'true', /expected true or false/],
    ['string', 1, /expected a string/],
    ['bytes', 'ab', /expected 0x and hex/],
    ['bytes', '0xabc', /expected 0x and hex/],
    ['bytes', '0xzz', /expected 0x and hex/],
    ['bytes', [1], /expected 0x and hex/],
    ['bytes4', '0xabcdef', /of 4 bytes/],
    ['bytes4', '0xabcdef0011', /of 4 bytes/],
    ['bytes32', '', /of 32 bytes/],
    ['address', '0x1234', /expected an address/],
    ['address', 'cd2a3d9f938e13cd947ec05abc7fe734df8dd826', /expected an address/],
    ['address', '0xcD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826', /expected an address/],
    ['address', 0, /expected an address/],
    ['bool[2]', [true], /expected 2 elements, found 1/],
    ['bool[2]', [true, true, true], /expected 2 elements, found 3/],
    ['bool[0]', [true], /expected 0 elements/],
    ['bool[]', { 0: true, length: 1 }, /expected an array/],
    ['bool[]', [true, 1], /message\.x\.1: expected true or false/],
    ['bool[]', Array.from({ length: 5_000 }, () => true), /at most 4096 values/],
    ['bool[][]', Array.from({ length: 3_000 }, () => [true]), /at most 4096 values/],
  ])('%s: %j', (type, value, message) => {
    expect(refused(JSON.stringify(one(type, value)))).toMatch(message);
  });

  it('takes the limits of integers', () => {
    for (const [type, value] of [
      ['uint8', 255],
      ['int8', -128],
      ['int8', '127'],
      ['uint256', (2n ** 256n - 1n).toString()],
      ['int256', (-(2n ** 255n)).toString()],
    ] as const) {
      expect(digest(one(type, value))).toBe(TypedDataEncoder.hash({}, { T: [{ name: 'x', type }] }, { x: value }));
    }
  });

  it('takes the members of `Object.prototype` and `__proto__` for names like any other', () => {
    const text =
      '{"types":{"__proto__":[{"name":"__proto__","type":"bool"}]},"primaryType":"__proto__","message":{"__proto__":true}}';
    expect(hashTypedData(text)).toHaveLength(32);
    expect(refused('{"types":{"T":[{"name":"toString","type":"bool"}]},"primaryType":"T","message":{}}')).toMatch(
      /message\.toString: expected this field/,
    );
  });

  it('answers the costliest texts it takes in little time', () => {
    const chain = Object.fromEntries(
      Array.from({ length: 31 }, (_, n) => [
        `T${String(n).padStart(2, '0')}${'x'.repeat(61)}`,
        Array.from({ length: 8 }, (_, f) => ({
          name: `${'y'.repeat(63)}${f}`,
          type: f === 0 && n < 30 ? `T${String(n + 1).padStart(2, '0')}${'x'.repeat(61)}` : 'bytes32[][][][][][][][]',
        })),
      ]),
    );
    const start = performance.now();
    expect(refused(JSON.stringify({ types: chain, primaryType: Object.keys(chain)[0], message: {} }))).toMatch(
      /expected this field/,
    );
    expect(
      digest(
        one(
          'string[]',
          Array.from({ length: 4_000 }, () => ''),
        ),
      ),
    ).toMatch(/^0x/);
    expect(performance.now() - start).toBeLessThan(3000);
  });
});
