import { createHash } from 'node:crypto';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { mnemonicToAccount, privateKeyToAddress } from 'viem/accounts';
import { beforeEach, describe, expect, test } from 'vitest';
import { mnemonicOf } from '../../../src/enclave/keys/hd.ts';
import type { Organization, WalletAccount } from '../../../src/enclave/state.ts';
import { createWorld, now, type World } from '../../support/effect-context.ts';

const absent = '00000000-0000-4000-8000-000000000000';

let world: World;
let id: string;
beforeEach(() => {
  world = createWorld();
  id = world.parent.id;
});

const organization = (): Organization => world.organization(id);
const account = (index = 0, more = {}) => ({
  curve: 'CURVE_SECP256K1',
  pathFormat: 'PATH_FORMAT_BIP32',
  path: `m/44'/60'/0'/0/${index}`,
  addressFormat: 'ADDRESS_FORMAT_ETHEREUM',
  ...more,
});
const isZero = (bytes: Buffer): boolean => bytes.every((byte) => byte === 0);
const createWallet = (walletName = 'w', more = {}) =>
  world.run(id, 'CREATE_WALLET', { walletName, accounts: [account()], ...more });
const accountsOf = (walletId: string): WalletAccount[] =>
  [...organization().accounts.values()].filter((each) => each.walletId === walletId);

describe('create_wallet', () => {
  test.each([null, 12, 15, 18, 21, 24])('with a mnemonic of %s words', async (mnemonicLength) => {
    const accounts = [account(0, { name: 'first' }), account(7)];
    const { walletId, addresses } = await createWallet('w', { accounts, mnemonicLength });
    const wallet = organization().wallets.get(walletId);
    const seed = world.keys.get(walletId);
    expect(wallet).toMatchObject({ name: 'w', exported: false, imported: false, createdAt: now });
    expect(seed?.binding).toBe(wallet?.seedDigest);
    expect(seed?.binding).toBe(
      createHash('sha256')
        .update(seed?.secret as Buffer)
        .digest('hex'),
    );
    const mnemonic = mnemonicOf(seed?.secret as Buffer);
    expect(mnemonic.split(' ')).toHaveLength(mnemonicLength ?? 12);
    expect(addresses).toEqual([0, 7].map((addressIndex) => mnemonicToAccount(mnemonic, { addressIndex }).address));
    const [first, second] = accountsOf(walletId);
    expect(first).toMatchObject({ name: 'first', path: "m/44'/60'/0'/0/0", address: addresses[0] });
    expect(second).not.toHaveProperty('name');
    for (const { id: accountId, publicKey, address } of accountsOf(walletId)) {
      const key = world.keys.get(accountId);
      expect(key?.binding).toBe(publicKey);
      expect(privateKeyToAddress(`0x${key?.secret.toString('hex')}`)).toBe(address);
    }
  });

  test('without accounts', async () => {
    expect(await createWallet('w', { accounts: [] })).toMatchObject({ addresses: [] });
  });

  test.each<[string, object, string, string, string]>([
    ['a path twice', { accounts: [account(), account()] }, 'INVALID_ARGUMENT', 'invalid path', 'accounts.1.path'],
    [
      'no path',
      { accounts: [account(0, { path: 'x' })] },
      'INVALID_ARGUMENT',
      'invalid path format',
      'accounts.0.path',
    ],
    [
      'an address of another curve',
      { accounts: [account(), account(1, { addressFormat: 'ADDRESS_FORMAT_SOLANA' })] },
      'INVALID_ARGUMENT',
      'invalid address format',
      'accounts.1.addressFormat',
    ],
    [
      'a curve',
      { accounts: [account(0, { curve: 'CURVE_X' })] },
      'INVALID_ARGUMENT',
      'invalid curve',
      'accounts.0.curve',
    ],
  ])('refuses %s', async (_, more, code, message, field) => {
    await expect(createWallet('w', more)).rejects.toMatchObject({
      code,
      message,
      facts: { fields: [{ field: `parameters.${field}` }] },
    });
    expect(world.randoms.every(isZero)).toBe(true);
  });

  test('refuses a name that is taken, and a wallet beyond the quota', async () => {
    await createWallet('a', { accounts: [] });
    await expect(createWallet('a')).rejects.toThrow('wallet label must be unique');
    for (let index = 1; index < 100; index++) await createWallet(`w${index}`, { accounts: [] });
    await expect(createWallet('one more')).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
  });
});

describe('wallets', () => {
  test('are renamed, unless the name is taken', async () => {
    const { walletId } = await createWallet('a');
    await createWallet('b');
    world.advance(3);
    expect(await world.run(id, 'UPDATE_WALLET', { walletId, walletName: 'c' })).toEqual({ walletId });
    expect(organization().wallets.get(walletId)).toMatchObject({ name: 'c', updatedAt: now + 3 });
    await expect(world.run(id, 'UPDATE_WALLET', { walletId, walletName: 'c' })).resolves.toBeDefined();
    await expect(world.run(id, 'UPDATE_WALLET', { walletId, walletName: 'b' })).rejects.toThrow('must be unique');
    await expect(world.run(id, 'UPDATE_WALLET', { walletId: absent })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('are deleted with accounts and keys, once exported or when asked to', async () => {
    const { walletId } = await createWallet('a');
    const { walletId: other } = await createWallet('b');
    await expect(world.run(id, 'DELETE_WALLETS', { walletIds: [walletId] })).rejects.toThrow(
      'wallet has not been exported',
    );
    await world.run(id, 'DELETE_WALLETS', { walletIds: [walletId], deleteWithoutExport: true });
    expect([...organization().wallets.keys()]).toEqual([other]);
    expect(accountsOf(walletId)).toEqual([]);
    expect([...world.keys.keys()].sort()).toEqual([other, accountsOf(other)[0]?.id].sort());
    const exported = { ...organization().wallets.get(other), exported: true };
    world.set({ ...organization(), wallets: new Map([[other, exported]]) as Organization['wallets'] });
    await world.run(id, 'DELETE_WALLETS', { walletIds: [other] });
    expect(world.keys.size).toBe(0);
  });
});

describe('wallet accounts', () => {
  const add = (walletId: string, accounts: object[], more = {}) =>
    world.run(id, 'CREATE_WALLET_ACCOUNTS', { walletId, accounts, ...more });

  test("come from the wallet's seed", async () => {
    const { walletId } = await createWallet();
    const solana = account(0, {
      curve: 'CURVE_ED25519',
      path: "m/44'/501'/0'/0'",
      addressFormat: 'ADDRESS_FORMAT_SOLANA',
    });
    const { addresses } = await add(walletId, [account(1), solana]);
    const mnemonic = mnemonicOf(world.keys.get(walletId)?.secret as Buffer);
    expect(addresses[0]).toBe(mnemonicToAccount(mnemonic, { addressIndex: 1 }).address);
    expect(accountsOf(walletId).map(({ address }) => address)).toEqual([expect.anything(), ...addresses]);
    expect(world.keys.get(accountsOf(walletId)[2]?.id as string)?.secret).toHaveLength(32);
  });

  test('are only shown when they are not to persist', async () => {
    const { walletId } = await createWallet();
    const before = organization();
    const outcome = await world.outcome(id, 'CREATE_WALLET_ACCOUNTS', {
      walletId,
      accounts: [account(), account(1)],
      persist: false,
    });
    expect(outcome).toEqual({
      result: { addresses: [accountsOf(walletId)[0]?.address, expect.stringMatching(/^0x/)] },
    });
    expect(organization()).toBe(before);
  });

  test('have one path each', async () => {
    const { walletId } = await createWallet();
    await expect(add(walletId, [account(1), account(0)])).rejects.toMatchObject({
      message: 'invalid path',
      facts: { fields: [{ field: 'parameters.accounts.1.path' }] },
    });
    await expect(add(absent, [account()])).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('are deleted', async () => {
    const { walletId } = await createWallet();
    const [only] = accountsOf(walletId) as [WalletAccount];
    const parameters = { walletAccountIds: [only.id] };
    await expect(world.run(id, 'DELETE_WALLET_ACCOUNTS', parameters)).rejects.toThrow(
      'wallet account has not been exported',
    );
    await world.run(id, 'DELETE_WALLET_ACCOUNTS', { ...parameters, deleteWithoutExport: true });
    expect([...world.keys.keys()]).toEqual([walletId]);
    await expect(world.run(id, 'DELETE_WALLET_ACCOUNTS', parameters)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('private keys', () => {
  const key = (more = {}) => ({
    privateKeyName: 'k',
    curve: 'CURVE_SECP256K1',
    privateKeyTags: [],
    addressFormats: ['ADDRESS_FORMAT_ETHEREUM', 'ADDRESS_FORMAT_COMPRESSED'],
    ...more,
  });
  const create = (...privateKeys: object[]) => world.run(id, 'CREATE_PRIVATE_KEYS_V2', { privateKeys });

  test('are created with their addresses', async () => {
    const {
      privateKeys: [made],
    } = await create(key());
    const sealed = world.keys.get(made.privateKeyId);
    const publicKey = Buffer.from(secp256k1.getPublicKey(sealed?.secret as Buffer)).toString('hex');
    expect(made.addresses).toEqual([
      { format: 'ADDRESS_FORMAT_ETHEREUM', address: privateKeyToAddress(`0x${sealed?.secret.toString('hex')}`) },
      { format: 'ADDRESS_FORMAT_COMPRESSED', address: publicKey },
    ]);
    expect(organization().privateKeys.get(made.privateKeyId)).toMatchObject({ name: 'k', publicKey, exported: false });
    expect(sealed?.binding).toBe(publicKey);
  });

  test('V1 answers with ids', async () => {
    const result = await world.run(id, 'CREATE_PRIVATE_KEYS', { privateKeys: [key(), key({ privateKeyName: 'l' })] });
    expect(result).toEqual({ privateKeyIds: [...organization().privateKeys.keys()] });
  });

  test.each<[string, object[], object]>([
    ['the same name', [key(), key()], { message: 'private key label must be unique' }],
    ['a tag', [key({ privateKeyTags: [absent] })], { code: 'NOT_FOUND' }],
    [
      'an address twice',
      [key({ addressFormats: ['ADDRESS_FORMAT_ETHEREUM', 'ADDRESS_FORMAT_ETHEREUM'] })],
      { facts: { fields: [{ description: 'expected each address format once' }] } },
    ],
    [
      'an address of another curve',
      [key({ curve: 'CURVE_ED25519' })],
      { message: 'invalid address format', facts: { fields: [{ field: 'parameters.privateKeys.0.addressFormat' }] } },
    ],
  ])('refuses %s', async (_, keys, error) => {
    await expect(create(...keys)).rejects.toMatchObject(error);
    expect(world.keys.size).toBe(0);
    expect(world.randoms.every(isZero)).toBe(true);
  });

  test('are deleted, once exported or when asked to', async () => {
    const {
      privateKeys: [made],
    } = await create(key());
    const privateKeyIds = [made.privateKeyId];
    await expect(world.run(id, 'DELETE_PRIVATE_KEYS', { privateKeyIds })).rejects.toThrow(
      'private key has not been exported',
    );
    await world.run(id, 'DELETE_PRIVATE_KEYS', { privateKeyIds, deleteWithoutExport: true });
    expect(world.keys.size).toBe(0);
    expect(organization().privateKeys.size).toBe(0);
  });
});
