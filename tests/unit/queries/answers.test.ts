import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { answers } from '../../../src/enclave/queries/index.ts';
import { findQuery, queries } from '../../../src/protocol/queries/index.ts';
import {
  alice,
  apiKey,
  ask,
  bob,
  contextOf,
  contractInterface,
  id,
  organization,
  parentId,
  passkey,
  policy,
  privateKey,
  privateKeyTag,
  userTag,
  wallet,
} from './fixtures.ts';

const times = { createdAt: { seconds: '1743191135', nanos: '0' }, updatedAt: { seconds: '1743191136', nanos: '0' } };

const aliceObject = {
  userId: alice.id,
  userName: 'Alice',
  userEmail: 'Alice@Example.com',
  userPhoneNumber: '+13214567890',
  authenticators: [
    {
      transports: ['AUTHENTICATOR_TRANSPORT_INTERNAL'],
      attestationType: 'none',
      aaguid: 'AAAAAAAAAAAAAAAAAAAAAA',
      credentialId: 'Y3JlZGVudGlhbA',
      model: 'Synced passkey',
      credential: { publicKey: 'pQECAyY', type: 'CREDENTIAL_TYPE_WEBAUTHN_AUTHENTICATOR' },
      authenticatorId: passkey.id,
      authenticatorName: 'Phone',
      ...times,
    },
  ],
  apiKeys: [
    {
      credential: { publicKey: apiKey.publicKey, type: 'CREDENTIAL_TYPE_API_KEY_P256' },
      apiKeyId: apiKey.id,
      apiKeyName: 'Backend',
      expirationSeconds: '3600',
      ...times,
    },
    {
      credential: { publicKey: `03${'cd'.repeat(32)}`, type: 'CREDENTIAL_TYPE_API_KEY_P256' },
      apiKeyId: id(32),
      apiKeyName: 'Backend',
      ...times,
    },
  ],
  userTags: [],
  oauthProviders: [],
  mfaPolicies: [],
  ...times,
};

const bobObject = {
  userId: bob.id,
  userName: 'Bob',
  authenticators: [],
  apiKeys: [],
  userTags: [userTag.id],
  oauthProviders: [],
  mfaPolicies: [],
  ...times,
};

const userTagObject = { tagId: userTag.id, tagName: 'Ops', tagType: 'TAG_TYPE_USER', ...times };
const privateKeyTagObject = { tagId: privateKeyTag.id, tagName: 'Cold', tagType: 'TAG_TYPE_PRIVATE_KEY', ...times };

const interfaceObject = {
  organizationId: organization.id,
  smartContractInterfaceId: contractInterface.id,
  smartContractAddress: contractInterface.address,
  smartContractInterface: '[ ]',
  type: 'SMART_CONTRACT_INTERFACE_TYPE_ETHEREUM',
  label: 'Token',
  notes: '',
  ...times,
};

const walletObject = { walletId: wallet.id, walletName: 'Main', exported: false, imported: true, ...times };

const accountObject = (number: number) => ({
  walletAccountId: id(50 + number),
  organizationId: organization.id,
  walletId: wallet.id,
  curve: 'CURVE_SECP256K1',
  pathFormat: 'PATH_FORMAT_BIP32',
  path: `m/44'/60'/0'/0/${number}`,
  addressFormat: 'ADDRESS_FORMAT_ETHEREUM',
  address: `0xAb${String(number).padStart(38, '0')}`,
  publicKey: `02${'ef'.repeat(32)}`,
  ...times,
});

const privateKeyObject = {
  privateKeyId: privateKey.id,
  privateKeyName: 'Treasury',
  publicKey: privateKey.publicKey,
  curve: 'CURVE_SECP256K1',
  addresses: [{ format: 'ADDRESS_FORMAT_ETHEREUM', address: `0x${'34'.repeat(20)}` }],
  privateKeyTags: [privateKeyTag.id],
  exported: true,
  imported: false,
  ...times,
};

const policyObject = {
  policyId: policy.id,
  policyName: 'No transfers',
  effect: 'EFFECT_DENY',
  condition: 'true',
  consensus: 'true',
  notes: '',
  ...times,
};

const quorum = { threshold: 1, userIds: [alice.id] };
const features = [{ name: 'FEATURE_NAME_OTP_EMAIL_AUTH', value: '' }];

const secondWallet = { ...walletObject, walletId: id(42), walletName: 'Second' };

describe('what each query answers, member by member', () => {
  test.each([
    ['whoami', {}, { organizationId: organization.id, organizationName: 'Acme', userId: alice.id, username: 'Alice' }],
    ['get_user', { userId: bob.id }, { user: bobObject }],
    ['list_users', {}, { users: [aliceObject, bobObject] }],
    ['get_authenticator', { authenticatorId: passkey.id }, { authenticator: aliceObject.authenticators[0] }],
    ['get_authenticators', { userId: alice.id }, { authenticators: aliceObject.authenticators }],
    ['get_api_key', { apiKeyId: id(32) }, { apiKey: aliceObject.apiKeys[1] }],
    ['get_api_keys', { userId: bob.id }, { apiKeys: [] }],
    ['get_api_keys', {}, { apiKeys: aliceObject.apiKeys }],
    ['get_oauth_providers', { userId: alice.id }, { oauthProviders: [] }],
    ['get_wallet', { walletId: wallet.id }, { wallet: walletObject }],
    ['list_wallets', {}, { wallets: [walletObject, secondWallet] }],
    ['get_private_key', { privateKeyId: privateKey.id }, { privateKey: privateKeyObject }],
    ['list_private_keys', {}, { privateKeys: [privateKeyObject] }],
    ['get_policy', { policyId: policy.id }, { policy: policyObject }],
    ['list_policies', {}, { policies: [policyObject] }],
    ['list_user_tags', {}, { userTags: [userTagObject] }],
    ['list_private_key_tags', {}, { privateKeyTags: [privateKeyTagObject] }],
    [
      'get_smart_contract_interface',
      { smartContractInterfaceId: contractInterface.id },
      { smartContractInterface: interfaceObject },
    ],
    [
      'list_smart_contract_interfaces',
      {},
      {
        smartContractInterfaces: [
          interfaceObject,
          { ...interfaceObject, smartContractInterfaceId: id(96), createdAt: times.updatedAt },
        ],
      },
    ],
    ['get_organization_configs', {}, { configs: { features, quorum } }],
    [
      'get_organization',
      {},
      {
        organizationData: {
          organizationId: organization.id,
          name: 'Acme',
          users: [aliceObject, bobObject],
          policies: [policyObject],
          wallets: [walletObject, secondWallet],
          privateKeys: [privateKeyObject],
          tags: [privateKeyTagObject, userTagObject],
          rootQuorum: quorum,
          features,
        },
      },
    ],
    ['get_wallet_account', { walletId: wallet.id, path: "m/44'/60'/0'/0/2" }, { account: accountObject(2) }],
    [
      'get_wallet_account',
      { walletId: wallet.id, address: accountObject(3).address.toLowerCase() },
      { account: accountObject(3) },
    ],
  ] as const)('%s %j', async (name, fields, expected) => {
    const answer = await ask(name, fields);
    expect(answer).toStrictEqual(expected);
    expect(v.parse(findQuery(name)?.response as v.GenericSchema, answer)).toEqual(expected);
  });

  test('every registered query has an answer and no other', () => {
    expect(Object.keys(answers).sort()).toEqual(queries.map(({ name }) => name).sort());
  });
});

describe('what is not there is NOT_FOUND with the field that named it', () => {
  test.each([
    ['get_user', 'userId', {}],
    ['get_authenticator', 'authenticatorId', {}],
    ['get_authenticators', 'userId', {}],
    ['get_api_key', 'apiKeyId', {}],
    ['get_api_keys', 'userId', {}],
    ['get_oauth_providers', 'userId', {}],
    ['get_wallet', 'walletId', {}],
    ['get_wallet_account', 'walletId', { address: '0x00' }],
    ['list_wallet_accounts', 'walletId', {}],
    ['get_private_key', 'privateKeyId', {}],
    ['get_policy', 'policyId', {}],
    ['get_smart_contract_interface', 'smartContractInterfaceId', {}],
    ['get_activity', 'activityId', {}],
    ['get_receipt', 'activityId', {}],
  ] as const)('%s', async (name, field, more) => {
    const missing = { [field]: id(999), ...more };
    await expect(ask(name, missing)).rejects.toMatchObject({ code: 'NOT_FOUND', facts: { fields: [{ field }] } });
  });

  test('an account of another wallet, or at an address and path that do not belong together', async () => {
    const { address, path } = accountObject(1);
    for (const fields of [
      { walletId: id(42), address },
      { walletId: wallet.id, address, path: `${path}1` },
    ]) {
      await expect(ask('get_wallet_account', fields)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    }
    await expect(ask('get_wallet_account', { walletId: wallet.id })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });
});

test('a parent that asks who it is in a sub-organization is itself', async () => {
  const parent = { ...organization, id: parentId, parentId: null };
  const context = contextOf(organization, { caller: { organization: parent, user: bob } });
  expect(await ask('whoami', {}, context)).toMatchObject({ organizationId: parentId, userId: bob.id });
});

describe('list_wallet_accounts', () => {
  const numbers = async (fields: object) => {
    const { accounts } = (await ask('list_wallet_accounts', fields)) as { accounts: { walletAccountId: string }[] };
    return accounts.map(({ walletAccountId }) => Number(walletAccountId.slice(-4)) - 50);
  };
  const all = [1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 9];

  test('oldest first, ten at a time', async () => {
    expect(await numbers({})).toEqual(all.slice(0, 10));
    expect(await numbers({ paginationOptions: { limit: '100' } })).toEqual(all);
  });

  test('following `after` to the end meets each account once', async () => {
    const met: number[] = [];
    for (let after: string | undefined; met.length < 20; after = id(50 + (met.at(-1) as number))) {
      const page = await numbers({ paginationOptions: { limit: '5', ...(after ? { after } : {}) } });
      if (page.length === 0) break;
      met.push(...page);
    }
    expect(met).toEqual(all);
  });

  test('`before` gives the page that ends there', async () => {
    expect(await numbers({ paginationOptions: { limit: '3', before: id(56) } })).toEqual([3, 4, 5]);
    expect(await numbers({ paginationOptions: { limit: '2', after: id(52), before: id(56) } })).toEqual([3, 4]);
    expect(await numbers({ paginationOptions: { after: id(56), before: id(52) } })).toEqual([]);
  });

  test('an id that is no account is refused', async () => {
    await expect(numbers({ paginationOptions: { after: id(999) } })).rejects.toMatchObject({
      code: 'NOT_FOUND',
      facts: { fields: [{ field: 'paginationOptions.after' }] },
    });
  });

  test('of one wallet, with its details where they are asked for', async () => {
    expect(await numbers({ walletId: id(42) })).toEqual([9]);
    const { accounts } = (await ask('list_wallet_accounts', { walletId: id(42), includeWalletDetails: true })) as {
      accounts: object[];
    };
    expect(accounts).toMatchObject([{ name: 'Savings', walletDetails: secondWallet }]);
    const { accounts: plain } = (await ask('list_wallet_accounts', { includeWalletDetails: false })) as {
      accounts: object[];
    };
    expect(plain[0]).toStrictEqual(accountObject(1));
  });
});
