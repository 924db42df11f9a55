import fc from 'fast-check';
import { checksumAddress, type Hex } from 'viem';
import { createSiweMessage } from 'viem/siwe';
import { describe, expect, it } from 'vitest';
import { parseRfc3339 } from '../../../../src/decode/facts/rfc3339.ts';
import { parseSiwe } from '../../../../src/decode/facts/siwe.ts';

const address = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8';
const required = {
  domain: 'example.com',
  address,
  uri: 'https://example.com/path?a=b',
  version: '1',
  chainId: 10,
  nonce: 'abcd1234',
  issuedAt: new Date('2026-03-01T10:20:30.456Z'),
} as const;
const ns = (text: string) => BigInt(Date.parse(text)) * 1_000_000n;

describe('parseSiwe', () => {
  it('reads what viem writes, with the least', () => {
    expect(parseSiwe(createSiweMessage(required))).toMatchObject({
      scheme: '',
      domain: 'example.com',
      address: address.toLowerCase(),
      statement: undefined,
      uri: 'https://example.com/path?a=b',
      version: '1',
      chain_id: 10n,
      nonce: 'abcd1234',
      issued_at: ns('2026-03-01T10:20:30.456Z'),
      expiration_time: undefined,
      not_before: undefined,
      request_id: undefined,
      resources: [],
    });
  });

  it('reads what viem writes, with everything', () => {
    const message = createSiweMessage({
      ...required,
      scheme: 'https',
      domain: 'example.com:8080',
      statement: 'Sign in, "please".',
      expirationTime: new Date('2026-03-02T00:00:00Z'),
      notBefore: new Date('2026-03-01T00:00:00Z'),
      requestId: 'request-1',
      resources: ['https://example.com/a', 'ipfs://b'],
    });
    expect(parseSiwe(message)).toMatchObject({
      scheme: 'https',
      domain: 'example.com:8080',
      statement: 'Sign in, "please".',
      expiration_time: ns('2026-03-02T00:00:00Z'),
      not_before: ns('2026-03-01T00:00:00Z'),
      request_id: 'request-1',
      resources: ['https://example.com/a', 'ipfs://b'],
    });
  });

  it('agrees with viem on any address, chain and nonce', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 20, maxLength: 20 }),
        fc.nat(),
        fc.stringMatching(/^[A-Za-z0-9]{8,40}$/),
        (bytes, chainId, nonce) => {
          const any = checksumAddress(`0x${Buffer.from(bytes).toString('hex')}` as Hex);
          const facts = parseSiwe(createSiweMessage({ ...required, address: any, chainId, nonce }));
          expect(facts).toMatchObject({ address: any.toLowerCase(), chain_id: BigInt(chainId), nonce });
        },
      ),
    );
  });

  const good = createSiweMessage({ ...required, statement: 'Hello.' });
  const lines = good.split('\n');
  it.each<[string, string]>([
    ['a line break at the end', `${good}\n`],
    ['a line of its own at the end', `${good}\nTransfer: all`],
    ['carriage returns', good.replaceAll('\n', '\r\n')],
    ['an address in lower case', good.replace(address, address.toLowerCase())],
    ['a wrong checksum', good.replace('0x70997970C', '0x70997970c')],
    ['a nonce of 7 characters', good.replace('abcd1234', 'abcd123')],
    ['version 2', good.replace('Version: 1', 'Version: 2')],
    ['a chain id with a leading zero', good.replace('Chain ID: 10', 'Chain ID: 010')],
    ['a chain id in hex', good.replace('Chain ID: 10', 'Chain ID: 0xa')],
    ['a date that is none', good.replace('2026-03-01', '2026-02-30')],
    ['two statements', good.replace('Hello.', 'Hello.\nAgain.')],
    ['a statement that is not ASCII', good.replace('Hello.', 'Héllo.')],
    ['257 resources', `${good}\nResources:${'\n- a:b'.repeat(257)}`],
    ['no domain', good.replace('example.com wants', ' wants')],
    ['a domain with a path', good.replace('example.com wants', 'example.com/a wants')],
    ['fields in another order', [...lines.slice(0, -2), lines.at(-1), lines.at(-2)].join('\n')],
    ['a field twice', good.replace('Version: 1', 'Version: 1\nVersion: 1')],
    ['something before it', ` ${good}`],
    ['no URI', good.replace('https://example.com/path?a=b', 'example')],
    ['no empty line after the statement', good.replace('Hello.\n\n', 'Hello.\n')],
  ])('refuses %s', (_, text) => {
    expect(text).not.toBe(good);
    expect(parseSiwe(text)).toBeUndefined();
  });

  it('takes time in proportion to the length', () => {
    const long = [
      `${'a'.repeat(200_000)} wants you to sign in`,
      good.replace('Hello.', 'x '.repeat(100_000)),
      `${good}\nResources:${'\n- a:b'.repeat(40_000)}!`,
    ];
    const started = performance.now();
    for (const text of long) parseSiwe(text);
    expect(performance.now() - started).toBeLessThan(1_000);
  });
});

describe('parseRfc3339', () => {
  it.each([
    ['2026-03-01T10:20:30Z', ns('2026-03-01T10:20:30Z')],
    ['2026-03-01t10:20:30z', ns('2026-03-01T10:20:30Z')],
    ['2026-03-01T10:20:30+05:30', ns('2026-03-01T04:50:30Z')],
    ['2026-03-01T10:20:30-00:30', ns('2026-03-01T10:50:30Z')],
    ['2024-02-29T23:59:59.123456789Z', ns('2024-02-29T23:59:59Z') + 123_456_789n],
    ['0001-01-01T00:00:00Z', ns('0001-01-01T00:00:00Z')],
    ['1969-12-31T23:59:59.5Z', -500_000_000n],
  ])('%s', (text, expected) => {
    expect(parseRfc3339(text)).toBe(expected);
  });

  it.each([
    '2026-02-29T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-00-01T00:00:00Z',
    '2026-01-01T24:00:00Z',
    '2026-01-01T00:00:60Z',
    '2026-01-01T00:60:00Z',
    '2026-01-01T00:00:00',
    '2026-01-01',
    '2026-01-01T00:00:00+24:00',
    '2026-01-01 00:00:00Z',
    '2026-01-01T00:00:00.Z',
    '',
  ])('refuses %j', (text) => {
    expect(parseRfc3339(text)).toBeUndefined();
  });
});
