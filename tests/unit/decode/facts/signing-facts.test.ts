import {
  encodeFunctionData,
  erc20Abi,
  hashMessage,
  keccak256,
  serializeTransaction,
  type TransactionSerializable,
  toHex,
} from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { createSiweMessage } from 'viem/siwe';
import { hashAuthorization } from 'viem/utils';
import { describe, expect, it } from 'vitest';
import { parseContractInterface } from '../../../../src/decode/facts/contract-interface.ts';
import { isSigningActivity, signingFacts } from '../../../../src/decode/facts/signing-facts.ts';
import { bytesToSign } from '../../../../src/decode/payload.ts';
import type { Value } from '../../../../src/policy/types.ts';
import { thrownBy } from '../thrown-by.ts';

const key = privateKeyToAccount(`0x${'11'.repeat(32)}`);
const address = key.address.toLowerCase();
const token = '0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48';
const friend = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8';
const signer = { address, interfaceOf: () => undefined };

const data = encodeFunctionData({ abi: erc20Abi, functionName: 'transfer', args: [friend, 1_000_000n] });
const base = { chainId: 10, nonce: 5, gas: 60_000n, to: token, value: 7n, data } as const;
const fees = { maxFeePerGas: 30n, maxPriorityFeePerGas: 2n } as const;

const transactionOf = (transaction: TransactionSerializable, given: Parameters<typeof signingFacts>[2] = signer) => {
  const [facts, ...others] = signingFacts(
    'sign_transaction',
    { type: 'TRANSACTION_TYPE_ETHEREUM', unsignedTransaction: serializeTransaction(transaction) },
    given,
  );
  expect(others).toEqual([]);
  const tx = facts?.eth?.tx;
  if (!tx) throw new Error('no transaction');
  return tx;
};

describe('sign_transaction', () => {
  const accessList = [{ address: friend, storageKeys: [`0x${'22'.repeat(32)}`] }] as const;
  const blobVersionedHashes = [`0x01${'33'.repeat(31)}`] as const;
  const authorization = { chainId: 10, address: token, nonce: 3, r: '0x01', s: '0x02', yParity: 0 } as const;
  const shared = {
    from: address,
    to: token.toLowerCase(),
    data,
    selector: '0xa9059cbb',
    value: 7n,
    gas: 60_000n,
    nonce: 5n,
    chain_id: 10n,
    function_name: '',
    function_signature: '',
    contract_call_args: undefined,
    calls_complete: true,
    max_fee_per_blob_gas: 0n,
    access_list: [],
    authorization_list: [],
    blob_versioned_hashes: [],
  };
  const legacyFees = { gas_price: 9n, max_fee_per_gas: 9n, max_priority_fee_per_gas: 9n };
  const dynamicFees = { gas_price: 30n, max_fee_per_gas: 30n, max_priority_fee_per_gas: 2n };
  const shownList = [{ address: friend.toLowerCase(), storage_keys: accessList[0].storageKeys }];

  it.each<[string, TransactionSerializable, object]>([
    ['legacy', { type: 'legacy', ...base, gasPrice: 9n }, { type: 'LEGACY', ...legacyFees }],
    [
      'EIP-2930',
      { type: 'eip2930', ...base, gasPrice: 9n, accessList },
      { type: 'TYPE_1', ...legacyFees, access_list: shownList },
    ],
    ['EIP-1559', { type: 'eip1559', ...base, ...fees }, { type: 'TYPE_2', ...dynamicFees }],
    [
      'EIP-4844',
      { type: 'eip4844', ...base, ...fees, blobVersionedHashes, maxFeePerBlobGas: 4n },
      { type: 'TYPE_3', ...dynamicFees, max_fee_per_blob_gas: 4n, blob_versioned_hashes: blobVersionedHashes },
    ],
    [
      'EIP-7702',
      { type: 'eip7702', ...base, ...fees, authorizationList: [authorization] },
      {
        type: 'TYPE_4',
        ...dynamicFees,
        authorization_list: [{ address: token.toLowerCase(), chain_id: 10n, nonce: 3n }],
      },
    ],
  ])('%s', (_, transaction, expected) => {
    expect(transactionOf(transaction)).toMatchObject({ ...shared, ...expected });
  });

  it('bound to no chain, creating a contract', () => {
    const tx = transactionOf({ type: 'legacy', nonce: 5, gas: 60_000n, gasPrice: 9n, data: '0x6001' });
    expect(tx).toMatchObject({ chain_id: 0n, to: '', data: '0x6001', calls_complete: false, transfers: [] });
    expect(tx.call).toMatchObject({ kind: 'create', decoded: false });
  });

  it('without calldata', () => {
    const { data: _, ...plain } = base;
    expect(transactionOf({ type: 'eip1559', ...plain, ...fees })).toMatchObject({
      data: '0x',
      calls_complete: true,
      transfers: [{ standard: 'native', from: address, to: token.toLowerCase(), amount: 7n }],
    });
  });

  it("has Turnkey's fields of the function only with an uploaded interface", () => {
    const abi = parseContractInterface(
      JSON.stringify([
        {
          type: 'function',
          name: 'transfer',
          inputs: [
            { name: 'dst', type: 'address' },
            { name: 'wad', type: 'uint256' },
          ],
        },
      ]),
    );
    const interfaceOf = (at: string) => (at === token.toLowerCase() ? abi : undefined);
    const tx = transactionOf({ type: 'eip1559', ...base, ...fees }, { address, interfaceOf });
    expect(tx).toMatchObject({ function_name: 'transfer', function_signature: '0xa9059cbb' });
    expect(tx.contract_call_args).toEqual(
      new Map<string, unknown>([
        ['dst', friend.toLowerCase()],
        ['wad', 1_000_000n],
      ]),
    );
    const dirty = transactionOf({ type: 'eip1559', ...base, data: `${data}00`, ...fees }, { address, interfaceOf });
    expect(dirty).toMatchObject({ function_name: 'transfer', contract_call_args: undefined, calls_complete: false });
    const other = transactionOf({ type: 'eip1559', ...base, data: '0xdeadbeef', ...fees }, { address, interfaceOf });
    expect(other).toMatchObject({ function_name: '', function_signature: '', contract_call_args: undefined });
  });

  it('works out what the calldata mean once, and only when asked', () => {
    let asked = 0;
    const interfaceOf = () => {
      asked++;
      return undefined;
    };
    const tx = transactionOf({ type: 'eip1559', ...base, ...fees }, { address, interfaceOf });
    expect(asked).toBe(0);
    expect(tx.call).toBe(tx.call);
    expect(tx.function_name).toBe('');
    expect(tx.contract_call_args).toBe(tx.contract_call_args);
    expect(asked).toBe(1);
  });

  it('are plain values, with nothing inherited', () => {
    const tx = transactionOf({ type: 'eip1559', ...base, ...fees });
    // What policies are evaluated on.
    const value: Value = tx;
    const payload: Value = payloadOf('hello', 'TEXT_UTF8', 'KECCAK256');
    expect([typeof value, typeof payload]).toEqual(['object', 'object']);
    for (const name of ['constructor', 'toString', '__proto__', 'hasOwnProperty']) {
      expect(name in tx).toBe(false);
      expect(name in tx.call).toBe(false);
      expect(name in (tx.transfers[0] as object)).toBe(false);
    }
  });

  it('refuses lists that no block has gas for', () => {
    const entry = { address: friend, storageKeys: [] } as const;
    const withEntries = (length: number) =>
      transactionOf({ type: 'eip1559', ...base, ...fees, accessList: Array.from({ length }, () => entry) });
    expect(withEntries(4_096).access_list).toHaveLength(4_096);
    expect(thrownBy(() => withEntries(4_097)).facts.fields?.[0]?.description).toMatch(/at most 4096/);
  });

  it('refuses what cannot be signed', () => {
    const sign = (type: string, unsignedTransaction: string) => () =>
      signingFacts('sign_transaction', { type, unsignedTransaction }, signer);
    expect(thrownBy(sign('TRANSACTION_TYPE_ETHEREUM', '02c0')).message).toBe('failed to parse transaction');
    expect(thrownBy(sign('TRANSACTION_TYPE_SOLANA', '00')).code).toBe('UNIMPLEMENTED');
  });
});

const payloadOf = (payload: string, encoding: string, hashFunction: string) => {
  const [facts] = signingFacts(
    'sign_raw_payload',
    { payload, encoding: `PAYLOAD_ENCODING_${encoding}`, hashFunction: `HASH_FUNCTION_${hashFunction}` },
    signer,
  );
  if (!facts?.payload) throw new Error('no payload');
  return facts.payload;
};
const hex = (text: string) => toHex(text);
const personal = (message: string | Uint8Array) => {
  const bytes = Buffer.from(message as string);
  return Buffer.concat([Buffer.from(`\x19Ethereum Signed Message:\n${bytes.length}`), bytes]).toString('hex');
};

describe('sign_raw_payload', () => {
  it('a digest is blind', () => {
    const digest = `${'AB'.repeat(32)}`;
    expect(payloadOf(digest, 'HEXADECIMAL', 'NO_OP')).toMatchObject({
      encoding: 'PAYLOAD_ENCODING_HEXADECIMAL',
      hash_function: 'HASH_FUNCTION_NO_OP',
      kind: 'digest',
      blind: true,
      length: 32n,
      data: `0x${'ab'.repeat(32)}`,
      text: undefined,
      tx: undefined,
    });
    expect(payloadOf('a text of thirty-two characters.', 'TEXT_UTF8', 'NO_OP')).toMatchObject({
      blind: true,
      kind: 'digest',
    });
  });

  it('a personal message, in hex and in text, is what viem hashes', () => {
    const message = 'Grüße, 😀 👩‍🚀\nzwei\tZeilen';
    const facts = payloadOf(personal(message), 'HEXADECIMAL', 'KECCAK256');
    expect(facts).toMatchObject({ kind: 'personal_message', blind: false, text: message });
    const signed = bytesToSign({
      payload: personal(message),
      encoding: 'PAYLOAD_ENCODING_HEXADECIMAL',
      hashFunction: 'HASH_FUNCTION_KECCAK256',
      curve: 'CURVE_SECP256K1',
    });
    expect(`0x${signed.toString('hex')}`).toBe(hashMessage(message));
    expect(
      payloadOf(`\x19Ethereum Signed Message:\n${Buffer.byteLength(message)}${message}`, 'TEXT_UTF8', 'KECCAK256'),
    ).toMatchObject({ kind: 'personal_message', text: message });
    expect(payloadOf(personal(''), 'HEXADECIMAL', 'KECCAK256')).toMatchObject({ kind: 'personal_message', text: '' });
    expect(payloadOf(personal('1'.repeat(12)), 'HEXADECIMAL', 'KECCAK256').text).toBe('1'.repeat(12));
  });

  it.each<[string, string, string, object]>([
    ['a wrong length', hex('\x19Ethereum Signed Message:\n4hello'), 'KECCAK256', { kind: 'bytes', blind: true }],
    ['a length with a zero', hex('\x19Ethereum Signed Message:\n05hello'), 'KECCAK256', { kind: 'bytes', blind: true }],
    ['no length', hex('\x19Ethereum Signed Message:\n'), 'KECCAK256', { kind: 'bytes', blind: true }],
    ['another hash', personal('hello'), 'SHA256', { kind: 'bytes', blind: true }],
    ['a message of 32 bytes', personal('x'.repeat(32)), 'KECCAK256', { kind: 'personal_message', blind: true }],
    ['a message that is not text', personal(Buffer.from('ff00', 'hex')), 'KECCAK256', { blind: true, text: undefined }],
    [
      'a message with an override of direction',
      personal('pay \u202e100'),
      'KECCAK256',
      { blind: true, text: undefined },
    ],
    ['a message with a control character', personal('a\u0000'), 'KECCAK256', { blind: true, text: undefined }],
    ['a message with a character of no width', personal('a\u200bb'), 'KECCAK256', { blind: true, text: undefined }],
    ['plain text', hex('hello'), 'KECCAK256', { kind: 'text', blind: false, text: 'hello' }],
    ['plain text with SHA-256', hex('hello'), 'SHA256', { kind: 'text', blind: false, text: 'hello' }],
    ['bytes', '0xff00ff', 'KECCAK256', { kind: 'bytes', blind: true }],
    ['hashes of typed data', `1901${'ab'.repeat(64)}`, 'KECCAK256', { kind: 'typed_data_hashes', blind: true }],
    ['data for a validator', `1900${'ab'.repeat(64)}`, 'KECCAK256', { kind: 'validator_data', blind: true }],
    ['hashes of typed data and more', `1901${'ab'.repeat(65)}`, 'KECCAK256', { kind: 'bytes', blind: true }],
  ])('%s', (_, payload, hashFunction, expected) => {
    expect(payloadOf(payload, 'HEXADECIMAL', hashFunction)).toMatchObject(expected);
  });

  it('a sign-in message, and one that only looks like it', () => {
    const message = createSiweMessage({
      domain: 'example.com',
      address: key.address,
      uri: 'https://example.com',
      version: '1',
      chainId: 10,
      nonce: 'abcd1234',
    });
    const facts = payloadOf(personal(message), 'HEXADECIMAL', 'KECCAK256');
    expect(facts).toMatchObject({ kind: 'siwe', blind: false, text: message });
    expect(facts.siwe).toMatchObject({ domain: 'example.com', address, chain_id: 10n });
    for (const altered of [`${message} `, message.replace('wants you to', 'WANTS  you to')]) {
      expect(payloadOf(personal(altered), 'HEXADECIMAL', 'KECCAK256')).toMatchObject({
        kind: 'malformed_siwe',
        siwe: undefined,
        text: altered,
      });
    }
    // Without the prefix it is no personal message, and no verifier takes it.
    expect(payloadOf(message, 'TEXT_UTF8', 'KECCAK256')).toMatchObject({ kind: 'text', siwe: undefined });
  });

  it.each<[string, TransactionSerializable]>([
    ['a legacy transaction', { type: 'legacy', ...base, gasPrice: 9n }],
    ['a transaction', { type: 'eip1559', ...base, ...fees }],
  ])('%s, signed as bytes, is seen', (_, transaction) => {
    const unsigned = serializeTransaction(transaction);
    const facts = payloadOf(unsigned, 'HEXADECIMAL', 'KECCAK256');
    expect(facts).toMatchObject({ kind: 'transaction', blind: false });
    expect(facts.tx).toMatchObject({ from: address, to: token.toLowerCase(), value: 7n, calls_complete: true });
    expect(payloadOf(unsigned.slice(0, -2), 'HEXADECIMAL', 'KECCAK256')).toMatchObject({ kind: 'bytes', blind: true });
    expect(payloadOf(unsigned, 'HEXADECIMAL', 'SHA256').tx).toBeUndefined();
  });

  it('an authorization, signed as bytes, is seen', () => {
    // rlp([1, token, 3])
    const bytes = `05d70194${token.slice(2).toLowerCase()}03` as const;
    expect(keccak256(`0x${bytes}`)).toBe(hashAuthorization({ chainId: 1, address: token, nonce: 3 }));
    const facts = payloadOf(bytes, 'HEXADECIMAL', 'KECCAK256');
    expect(facts).toMatchObject({ kind: 'authorization', blind: false });
    expect(facts.authorization).toMatchObject({ address: token.toLowerCase(), chain_id: 1n, nonce: 3n });
    expect(payloadOf(`${bytes}00`, 'HEXADECIMAL', 'KECCAK256').kind).toBe('bytes');
  });

  it('an authorization', () => {
    const [facts] = signingFacts(
      'sign_raw_payload',
      {
        payload: JSON.stringify({ chainId: 1, address: token, nonce: '3' }),
        encoding: 'PAYLOAD_ENCODING_EIP7702_AUTHORIZATION',
        hashFunction: 'HASH_FUNCTION_NO_OP',
      },
      signer,
    );
    expect(facts?.eth?.eip_7702_authorization).toMatchObject({ address: token.toLowerCase(), chain_id: 1n, nonce: 3n });
    expect(facts?.eth).toMatchObject({ tx: undefined, eip_712: undefined });
    expect(facts?.payload).toMatchObject({ kind: 'authorization', blind: false, data: '0x' });
  });

  it('several payloads have facts each', () => {
    const form = { encoding: 'PAYLOAD_ENCODING_TEXT_UTF8', hashFunction: 'HASH_FUNCTION_KECCAK256' };
    const all = signingFacts('sign_raw_payloads', { payloads: ['one', 'two'], ...form }, signer);
    expect(all.map(({ payload }) => payload?.text)).toEqual(['one', 'two']);
    expect(all.every(({ eth }) => eth === undefined)).toBe(true);
  });

  it.each([
    ['no hex', 'xyz', 'HEXADECIMAL', 'invalid payload encoding'],
    ['nothing', '', 'TEXT_UTF8', 'invalid payload encoding'],
    ['another encoding', 'a', 'BASE64', 'invalid payload encoding'],
    ['no typed data', '{}', 'EIP712', /^invalid typed data/],
    ['no authorization', '{}', 'EIP7702_AUTHORIZATION', /^invalid authorization/],
  ])('%s is refused', (_, payload, encoding, message) => {
    const error = thrownBy(() => payloadOf(payload, encoding, 'NO_OP'));
    expect(error.code).toBe('INVALID_ARGUMENT');
    expect(error.message).toMatch(message);
  });
});

it('knows which activities sign', () => {
  expect(['sign_transaction', 'sign_raw_payload', 'sign_raw_payloads'].every(isSigningActivity)).toBe(true);
  expect(['create_wallet', 'constructor', '__proto__'].some(isSigningActivity)).toBe(false);
});
