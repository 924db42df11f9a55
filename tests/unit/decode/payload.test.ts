import { createHash } from 'node:crypto';
import { hashTypedData, keccak256, stringToHex } from 'viem';
import { hashAuthorization } from 'viem/utils';
import { describe, expect, it } from 'vitest';
import { bytesToSign, type Payload } from '../../../src/decode/payload.ts';
import { thrownBy } from './thrown-by.ts';

const digest = '8dfe0ff0a7aeb4dd1d2b4ab2fe5bbe6b3a4e4c1a3f2b1d0c9e8f7a6b5c4d3e2f';

const ask = (given: Partial<Payload>) =>
  bytesToSign({
    payload: digest,
    encoding: 'PAYLOAD_ENCODING_HEXADECIMAL',
    hashFunction: 'HASH_FUNCTION_NO_OP',
    curve: 'CURVE_SECP256K1',
    ...given,
  });
const hex = (given: Partial<Payload>) => ask(given).toString('hex');

describe('hexadecimal', () => {
  it('takes a digest as it is, with and without 0x, in either case', () => {
    expect(hex({})).toBe(digest);
    expect(hex({ payload: `0x${digest.toUpperCase()}` })).toBe(digest);
    expect(hex({ curve: 'CURVE_P256' })).toBe(digest);
  });

  it('hashes', () => {
    expect(hex({ payload: '0xabcd', hashFunction: 'HASH_FUNCTION_SHA256' })).toBe(
      createHash('sha256').update(Buffer.from('abcd', 'hex')).digest('hex'),
    );
    expect(`0x${hex({ payload: 'abcd', hashFunction: 'HASH_FUNCTION_KECCAK256' })}`).toBe(keccak256('0xabcd'));
  });

  it('leaves the message to Ed25519', () => {
    expect(hex({ payload: 'abcd', hashFunction: 'HASH_FUNCTION_NOT_APPLICABLE', curve: 'CURVE_ED25519' })).toBe('abcd');
  });
});

describe('text', () => {
  const text = { payload: 'grüße 👋', encoding: 'PAYLOAD_ENCODING_TEXT_UTF8' };

  it('is hashed as UTF-8', () => {
    expect(hex({ ...text, hashFunction: 'HASH_FUNCTION_SHA256' })).toBe(
      createHash('sha256').update(text.payload).digest('hex'),
    );
    expect(`0x${hex({ ...text, hashFunction: 'HASH_FUNCTION_KECCAK256' })}`).toBe(keccak256(stringToHex(text.payload)));
    expect(ask({ ...text, hashFunction: 'HASH_FUNCTION_NOT_APPLICABLE', curve: 'CURVE_ED25519' }).toString()).toBe(
      text.payload,
    );
  });

  it('of 32 bytes may be a digest', () => {
    expect(ask({ ...text, payload: 'x'.repeat(32) })).toEqual(Buffer.alloc(32, 'x'));
  });
});

describe('Ethereum’s own', () => {
  const typed = {
    types: { EIP712Domain: [{ name: 'name', type: 'string' }], Note: [{ name: 'text', type: 'string' }] },
    primaryType: 'Note',
    domain: { name: 'App' },
    message: { text: 'hello' },
  } as const;

  it.each(['CURVE_SECP256K1', 'CURVE_P256'] as const)('EIP-712 with %s', (curve) => {
    expect(`0x${hex({ payload: JSON.stringify(typed), encoding: 'PAYLOAD_ENCODING_EIP712', curve })}`).toBe(
      hashTypedData(typed),
    );
  });

  it.each([
    [1, 0],
    [0, 7],
    [8453, 2 ** 40],
  ])('EIP-7702 authorization on chain %i with nonce %i: as viem', (chainId, nonce) => {
    const address = '0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826';
    const payload = JSON.stringify({ address, chainId, nonce });
    expect(`0x${hex({ payload, encoding: 'PAYLOAD_ENCODING_EIP7702_AUTHORIZATION' })}`).toBe(
      hashAuthorization({ address, chainId, nonce }),
    );
    const digits = JSON.stringify({ nonce: `0x${nonce.toString(16)}`, chainId: `${chainId}`, address });
    expect(hex({ payload: digits, encoding: 'PAYLOAD_ENCODING_EIP7702_AUTHORIZATION' })).toBe(
      hex({ payload, encoding: 'PAYLOAD_ENCODING_EIP7702_AUTHORIZATION' }),
    );
  });

  const address = '0xcd2a3d9f938e13cd947ec05abc7fe734df8dd826';
  it.each<[string, RegExp]>([
    ['{', /not the JSON expected/],
    ['[]', /expected a JSON object/],
    ['{}', /address: expected/],
    [JSON.stringify({ address, chainId: 1 }), /nonce: expected a uint64/],
    [JSON.stringify({ address, nonce: 1 }), /chainId: expected a uint256/],
    [JSON.stringify({ address: '0x00', chainId: 1, nonce: 1 }), /address: expected/],
    [JSON.stringify({ address, chainId: -1, nonce: 1 }), /chainId: expected/],
    [JSON.stringify({ address, chainId: 1.5, nonce: 1 }), /chainId: expected/],
    [JSON.stringify({ address, chainId: 1, nonce: (2n ** 64n).toString() }), /nonce: expected/],
    [JSON.stringify({ address, chainId: 1, nonce: 1, extra: 1 }), /no other field/],
    [`{"address":"${address}","chainId":1,"chainId":2,"nonce":1}`, /given twice/],
  ])('refuses the authorization %s', (payload, message) => {
    const error = thrownBy(() => ask({ payload, encoding: 'PAYLOAD_ENCODING_EIP7702_AUTHORIZATION' }));
    expect(error.code).toBe('INVALID_ARGUMENT');
    expect(error.message).toMatch(/^invalid authorization: /);
    expect(error.message).toMatch(message);
  });

  it('a broken typed data text is refused as such', () => {
    const error = thrownBy(() => ask({ payload: '{}', encoding: 'PAYLOAD_ENCODING_EIP712' }));
    expect([error.code, error.message]).toEqual(['INVALID_ARGUMENT', 'invalid typed data: types: expected an object']);
  });
});

describe('refusals', () => {
  const notApplicable = 'HASH_FUNCTION_NOT_APPLICABLE';
  it.each<[string, Partial<Payload>, string, string]>([
    ['an empty payload', { payload: '' }, 'invalid payload encoding', 'parameters.payload'],
    ['0x', { payload: '0x' }, 'invalid payload encoding', 'parameters.payload'],
    [
      'an empty text',
      { payload: '', encoding: 'PAYLOAD_ENCODING_TEXT_UTF8' },
      'invalid payload encoding',
      'parameters.payload',
    ],
    ['half a byte', { payload: 'abc' }, 'invalid payload encoding', 'parameters.payload'],
    ['no hex', { payload: 'hello!' }, 'invalid payload encoding', 'parameters.payload'],
    ['0x twice', { payload: `0x0x${digest}` }, 'invalid payload encoding', 'parameters.payload'],
    [
      'half of a surrogate pair',
      { payload: '\ud800', encoding: 'PAYLOAD_ENCODING_TEXT_UTF8', hashFunction: 'HASH_FUNCTION_SHA256' },
      'invalid payload encoding',
      'parameters.payload',
    ],
    ['an unknown encoding', { encoding: 'PAYLOAD_ENCODING_BASE64' }, 'invalid payload encoding', 'parameters.encoding'],
    ['an unknown hash', { hashFunction: 'HASH_FUNCTION_MD5' }, 'invalid hash function', 'parameters.hashFunction'],
    ['31 bytes as digest', { payload: digest.slice(2) }, 'invalid hash function', 'parameters.hashFunction'],
    ['33 bytes as digest', { payload: `${digest}00` }, 'invalid hash function', 'parameters.hashFunction'],
    ['no hash for ECDSA', { hashFunction: notApplicable }, 'invalid hash function', 'parameters.hashFunction'],
    [
      'no hash for P-256',
      { hashFunction: notApplicable, curve: 'CURVE_P256' },
      'invalid hash function',
      'parameters.hashFunction',
    ],
    ['a digest for Ed25519', { curve: 'CURVE_ED25519' }, 'invalid hash function', 'parameters.hashFunction'],
    [
      'a hash for Ed25519',
      { curve: 'CURVE_ED25519', hashFunction: 'HASH_FUNCTION_SHA256' },
      'invalid hash function',
      'parameters.hashFunction',
    ],
    [
      'typed data for Ed25519',
      { curve: 'CURVE_ED25519', hashFunction: notApplicable, encoding: 'PAYLOAD_ENCODING_EIP712' },
      'invalid payload encoding',
      'parameters.encoding',
    ],
    [
      'typed data hashed again',
      { encoding: 'PAYLOAD_ENCODING_EIP712', hashFunction: 'HASH_FUNCTION_KECCAK256' },
      'invalid hash function',
      'parameters.hashFunction',
    ],
    [
      'an authorization for Ed25519',
      { curve: 'CURVE_ED25519', hashFunction: notApplicable, encoding: 'PAYLOAD_ENCODING_EIP7702_AUTHORIZATION' },
      'invalid payload encoding',
      'parameters.encoding',
    ],
  ])('%s', (_name, given, message, field) => {
    const error = thrownBy(() => ask(given));
    expect([error.code, error.message, error.facts.fields?.[0]?.field]).toEqual(['INVALID_ARGUMENT', message, field]);
  });
});
