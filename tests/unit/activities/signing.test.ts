import { createHash, createPublicKey, verify } from 'node:crypto';
import { p256 } from '@noble/curves/nist.js';
import {
  hashMessage,
  hashTypedData,
  keccak256,
  parseTransaction,
  recoverAddress,
  recoverTransactionAddress,
  serializeTransaction,
  type TransactionSerializable,
} from 'viem';
import { beforeEach, describe, expect, test } from 'vitest';
import { createWorld, type World } from '../../support/effect-context.ts';

const hex = { encoding: 'PAYLOAD_ENCODING_HEXADECIMAL', hashFunction: 'HASH_FUNCTION_NO_OP' };
const digest = hashMessage('hello');

let world: World;
let id: string;
let address: `0x${string}`;
let accountId: string;
beforeEach(async () => {
  world = createWorld();
  id = world.parent.id;
  const account = { curve: 'CURVE_SECP256K1', pathFormat: 'PATH_FORMAT_BIP32' };
  const { addresses } = await world.run(id, 'CREATE_WALLET', {
    walletName: 'w',
    accounts: [
      { ...account, path: "m/44'/60'/0'/0/0", addressFormat: 'ADDRESS_FORMAT_ETHEREUM' },
      { ...account, path: "m/86'/0'/0'/0/0", addressFormat: 'ADDRESS_FORMAT_BITCOIN_MAINNET_P2TR' },
    ],
  });
  address = addresses[0];
  accountId = world.organization(id).accounts.keys().next().value as string;
});

type Signature = { r: string; s: string; v: string };
const recover = (hash: `0x${string}`, { r, s, v }: Signature) =>
  recoverAddress({ hash, signature: { r: `0x${r}`, s: `0x${s}`, yParity: Number.parseInt(v, 16) } });

async function privateKey(curve: string, addressFormat: string) {
  const { privateKeys } = await world.run(id, 'CREATE_PRIVATE_KEYS_V2', {
    privateKeys: [{ privateKeyName: curve, curve, privateKeyTags: [], addressFormats: [addressFormat] }],
  });
  const { privateKeyId, addresses } = privateKeys[0];
  return { privateKeyId, address: addresses[0].address as string };
}

describe('sign_raw_payload', () => {
  test('a digest, with the address in any case or the id of the account', async () => {
    for (const signWith of [address, address.toLowerCase(), address.toUpperCase().replace('0X', '0x'), accountId]) {
      const signature = await world.run(id, 'SIGN_RAW_PAYLOAD_V2', { signWith, payload: digest, ...hex });
      expect(signature.r).toMatch(/^[0-9a-f]{64}$/);
      expect(signature.s).toMatch(/^[0-9a-f]{64}$/);
      expect(signature.v).toMatch(/^0[01]$/);
      expect(await recover(digest, signature)).toBe(address);
    }
  });

  test('text, hashed here', async () => {
    const form = { encoding: 'PAYLOAD_ENCODING_TEXT_UTF8', hashFunction: 'HASH_FUNCTION_KECCAK256' };
    const signature = await world.run(id, 'SIGN_RAW_PAYLOAD_V2', { signWith: address, payload: 'hello', ...form });
    expect(await recover(keccak256(Buffer.from('hello')), signature)).toBe(address);
  });

  test('typed data', async () => {
    const typedData = {
      domain: { name: 'Ether Mail' },
      types: {
        EIP712Domain: [{ name: 'name', type: 'string' }],
        Mail: [{ name: 'contents', type: 'string' }],
      },
      primaryType: 'Mail',
      message: { contents: 'Hello' },
    } as const;
    const form = { encoding: 'PAYLOAD_ENCODING_EIP712', hashFunction: 'HASH_FUNCTION_NO_OP' };
    const payload = JSON.stringify(typedData);
    const signature = await world.run(id, 'SIGN_RAW_PAYLOAD_V2', { signWith: address, payload, ...form });
    expect(await recover(hashTypedData(typedData), signature)).toBe(address);
  });

  test('with a P-256 private key by its id, in both versions', async () => {
    const { privateKeyId, address: publicKey } = await privateKey('CURVE_P256', 'ADDRESS_FORMAT_COMPRESSED');
    const payload = createHash('sha256').update('hello').digest('hex');
    for (const [type, name] of [
      ['SIGN_RAW_PAYLOAD', 'privateKeyId'],
      ['SIGN_RAW_PAYLOAD_V2', 'signWith'],
    ] as const) {
      const { r, s } = await world.run(id, type, { [name]: privateKeyId, payload, ...hex });
      const signature = Buffer.from(r + s, 'hex');
      const [bytes, key] = [Buffer.from(payload, 'hex'), Buffer.from(publicKey, 'hex')];
      expect(p256.verify(signature, bytes, key, { prehash: false })).toBe(true);
    }
  });

  test('with an Ed25519 private key by its address, which is case-sensitive', async () => {
    const { address: solana } = await privateKey('CURVE_ED25519', 'ADDRESS_FORMAT_SOLANA');
    const { publicKey } = [...world.organization(id).privateKeys.values()][0] as { publicKey: string };
    const form = { encoding: 'PAYLOAD_ENCODING_TEXT_UTF8', hashFunction: 'HASH_FUNCTION_NOT_APPLICABLE' };
    const sign = (signWith: string) => world.run(id, 'SIGN_RAW_PAYLOAD_V2', { signWith, payload: 'hello', ...form });
    const { r, s, v } = await sign(solana);
    const x = Buffer.from(publicKey, 'hex').toString('base64url');
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
    expect(v).toBe('00');
    expect(verify(null, Buffer.from('hello'), key, Buffer.from(r + s, 'hex'))).toBe(true);
    await expect(sign(solana.toLowerCase())).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test.each<[string, object, object]>([
    [
      'an unknown signer',
      { signWith: `0x${'00'.repeat(20)}` },
      { code: 'NOT_FOUND', message: 'could not find any resource to sign with' },
    ],
    ['a name of the prototype', { signWith: 'constructor' }, { code: 'NOT_FOUND' }],
    ['an empty payload', { payload: '' }, { code: 'INVALID_ARGUMENT' }],
    ['no digest', { payload: '0x00' }, { code: 'INVALID_ARGUMENT', message: 'invalid hash function' }],
    ['no hex', { payload: '0xzz' }, { code: 'INVALID_ARGUMENT', message: 'invalid payload encoding' }],
    [
      "Ed25519's hash function",
      { hashFunction: 'HASH_FUNCTION_NOT_APPLICABLE' },
      { code: 'INVALID_ARGUMENT', message: 'invalid hash function' },
    ],
    ['an encoding', { encoding: 'x' }, { code: 'INVALID_ARGUMENT', message: 'invalid payload encoding' }],
  ])('refuses %s', async (_, more, error) => {
    const parameters = { signWith: address, payload: digest, ...hex, ...more };
    await expect(world.run(id, 'SIGN_RAW_PAYLOAD_V2', parameters)).rejects.toMatchObject(error);
  });

  test('refuses a Taproot address, which ECDSA is not for', async () => {
    const taproot = [...world.organization(id).accounts.values()][1]?.address;
    const parameters = { signWith: taproot, payload: digest, ...hex };
    await expect(world.run(id, 'SIGN_RAW_PAYLOAD_V2', parameters)).rejects.toMatchObject({ code: 'UNIMPLEMENTED' });
  });

  test('a deleted account signs no more', async () => {
    await world.run(id, 'SIGN_RAW_PAYLOAD_V2', { signWith: address, payload: digest, ...hex });
    await world.run(id, 'DELETE_WALLET_ACCOUNTS', { walletAccountIds: [accountId], deleteWithoutExport: true });
    await expect(
      world.run(id, 'SIGN_RAW_PAYLOAD_V2', { signWith: address, payload: digest, ...hex }),
    ).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('changes no state', async () => {
    const outcome = await world.outcome(id, 'SIGN_RAW_PAYLOAD_V2', { signWith: address, payload: digest, ...hex });
    expect(Object.keys(outcome)).toEqual(['result']);
  });
});

describe('sign_raw_payloads', () => {
  test('in order', async () => {
    const payloads = ['a', 'b', 'c'].map((text) => hashMessage(text));
    const { signatures } = await world.run(id, 'SIGN_RAW_PAYLOADS', { signWith: address, payloads, ...hex });
    expect(signatures).toHaveLength(3);
    for (const [index, payload] of payloads.entries()) expect(await recover(payload, signatures[index])).toBe(address);
  });

  test('all or none', async () => {
    await expect(
      world.run(id, 'SIGN_RAW_PAYLOADS', { signWith: address, payloads: [digest, 'zz'], ...hex }),
    ).rejects.toMatchObject({ facts: { fields: [{ field: 'parameters.payloads.1' }] } });
  });
});

describe('sign_transaction', () => {
  const to = '0x0000000000000000000000000000000000000001';
  const common = { chainId: 1, nonce: 3, gas: 21_000n, to, value: 5n } as const;
  const fees = { maxFeePerGas: 9n, maxPriorityFeePerGas: 2n };
  const transactions: [string, TransactionSerializable][] = [
    ['legacy', { ...common, type: 'legacy', gasPrice: 7n }],
    ['2930', { ...common, type: 'eip2930', gasPrice: 7n }],
    ['1559', { ...common, type: 'eip1559', ...fees, data: '0xabcd' }],
  ];
  const sign = (unsignedTransaction: string, more = {}) =>
    world.run(id, 'SIGN_TRANSACTION_V2', {
      signWith: address,
      type: 'TRANSACTION_TYPE_ETHEREUM',
      unsignedTransaction,
      ...more,
    });

  test.each(transactions)('%s', async (_, transaction) => {
    const unsigned = serializeTransaction(transaction);
    const { signedTransaction } = await sign(unsigned.slice(2));
    const serialized = `0x${signedTransaction}` as `0x02${string}`;
    expect(parseTransaction(serialized)).toMatchObject(transaction);
    expect(await recoverTransactionAddress({ serializedTransaction: serialized })).toBe(address);
  });

  test.each<[string, object, object]>([
    ['what is no transaction', {}, { code: 'INVALID_ARGUMENT', message: 'failed to parse transaction' }],
    ['Solana', { type: 'TRANSACTION_TYPE_SOLANA' }, { code: 'UNIMPLEMENTED' }],
    ['a type', { type: 'TRANSACTION_TYPE_DOGE' }, { code: 'INVALID_ARGUMENT' }],
  ])('refuses %s', async (_, more, error) => {
    await expect(sign('0xff', more)).rejects.toMatchObject(error);
  });

  test('refuses a key of another curve', async () => {
    const { privateKeyId } = await privateKey('CURVE_ED25519', 'ADDRESS_FORMAT_SOLANA');
    const [, transaction] = transactions[2] as (typeof transactions)[number];
    const signing = sign(serializeTransaction(transaction), { signWith: privateKeyId });
    await expect(signing).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', message: 'invalid curve' });
  });
});
