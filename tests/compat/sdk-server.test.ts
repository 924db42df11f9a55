/** Everything that `@turnkey/sdk-server` can ask of the service, in the forms in which it asks. */
import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { base58 } from '@scure/base';
import {
  addressFormatConfig,
  DEFAULT_ETHEREUM_ACCOUNTS,
  DEFAULT_SOLANA_ACCOUNTS,
  TurnkeyApiClient,
} from '@turnkey/sdk-server';
import { erc20Abi, isAddress, keccak256, recoverAddress, toBytes } from 'viem';
import { beforeAll, describe, expect, test } from 'vitest';
import { activities, queries } from '../../src/protocol/registry.ts';
import { generateApiKey } from '../../src/stamping/make-api-key-stamp.ts';
import { createSoftwareAuthenticator } from '../../src/stamping/software-authenticator.ts';
import { ourActivities, ourQueries } from './our-queries.ts';
import { apiKeyParams, ethereumAccount, newSubOrganization, type SubOrganization, useService } from './use-service.ts';

type Client = ReturnType<typeof service.client>;

const service = useService();
let parent: Client;
let sub: SubOrganization;
let client: Client;

beforeAll(async () => {
  parent = service.client();
  sub = await newSubOrganization(parent, { name: 'first' });
  client = service.client(sub);
});

const uuid = expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/);
const passkeyParams = () => {
  const { rpId, origin } = service.root;
  const passkey = createSoftwareAuthenticator({ rpId, origin });
  const { challenge, attestation } = passkey.register();
  const transports = ['AUTHENTICATOR_TRANSPORT_INTERNAL' as const];
  return { passkey, params: { authenticatorName: 'laptop', challenge, attestation: { ...attestation, transports } } };
};
const userParams = (userName: string, key = generateApiKey()) => ({
  userName,
  apiKeys: [apiKeyParams(key)],
  authenticators: [],
  oauthProviders: [],
  userTags: [],
});
const newUser = async (name: string, key = generateApiKey()): Promise<string> => {
  const { userIds } = await client.createUsers({ users: [userParams(name, key)] });
  return userIds[0] as string;
};

describe('sub-organizations', () => {
  test('with a passkey, an API key and a wallet of both kinds of accounts', async () => {
    const { params } = passkeyParams();
    const rootUser = {
      userName: 'Ada',
      userEmail: 'ada@example.com',
      userPhoneNumber: '+41791234567',
      apiKeys: [apiKeyParams(generateApiKey())],
      authenticators: [params],
      oauthProviders: [],
    };
    const accounts = [...DEFAULT_ETHEREUM_ACCOUNTS, ...DEFAULT_SOLANA_ACCOUNTS];
    const created = await parent.createSubOrganization({
      subOrganizationName: 'Ada',
      rootQuorumThreshold: 1,
      rootUsers: [rootUser],
      wallet: { walletName: 'main', accounts, mnemonicLength: 24 },
      disableSmsAuth: true,
    });
    expect(created.subOrganizationId).toEqual(uuid);
    expect(created.rootUserIds).toEqual([uuid]);
    expect(created.wallet).toEqual({ walletId: uuid, addresses: [expect.any(String), expect.any(String)] });
    const [ethereum = '', solana = ''] = created.wallet?.addresses ?? [];
    expect(isAddress(ethereum, { strict: true })).toBe(true);
    expect(base58.decode(solana)).toHaveLength(32);
    expect(created.activity).toMatchObject({
      organizationId: service.root.organizationId,
      type: 'ACTIVITY_TYPE_CREATE_SUB_ORGANIZATION_V8',
      status: 'ACTIVITY_STATUS_COMPLETED',
      votes: [{ userId: service.root.userId, selection: 'VOTE_SELECTION_APPROVED' }],
    });

    const organizationId = created.subOrganizationId;
    const { users } = await parent.getUsers({ organizationId });
    const [credential] = users[0]?.authenticators ?? [];
    expect(users).toMatchObject([{ userName: 'Ada', userEmail: 'ada@example.com', userPhoneNumber: '+41791234567' }]);
    expect(credential).toMatchObject({
      authenticatorName: 'laptop',
      credentialId: params.attestation.credentialId,
      credential: { type: 'CREDENTIAL_TYPE_WEBAUTHN_AUTHENTICATOR', publicKey: expect.stringMatching(/^pQEC/) },
    });
    const { configs } = await parent.getOrganizationConfigs({ organizationId });
    expect(configs.quorum).toEqual({ threshold: 1, userIds: created.rootUserIds });
    expect(configs.features?.map(({ name }) => name)).not.toContain('FEATURE_NAME_SMS_AUTH');
  });

  test('the parent reads what is in them and changes nothing', async () => {
    const { organizationId, walletId, address } = sub;
    expect((await parent.getWallet({ organizationId, walletId })).wallet.walletName).toBe('main');
    const payload = {
      payload: 'x',
      encoding: 'PAYLOAD_ENCODING_TEXT_UTF8',
      hashFunction: 'HASH_FUNCTION_SHA256',
    } as const;
    await expect(parent.signRawPayload({ organizationId, signWith: address, ...payload })).rejects.toMatchObject({
      name: 'TurnkeyRequestError',
      code: 3,
      message: expect.stringContaining(
        `organization mismatch: request is targeting organization ("${organizationId}"), but voters are in organization ("${service.root.organizationId}")`,
      ),
      details: [{ turnkeyErrorCode: 'ORGANIZATION_MISMATCH' }],
    });
    await expect(parent.createWallet({ organizationId, walletName: 'w', accounts: [] })).rejects.toThrow('mismatch');
    await expect(parent.deleteSubOrganization({ organizationId })).rejects.toThrow('mismatch');
  });

  test('a root user deletes one, once its keys are exported or given up', async () => {
    const gone = await newSubOrganization(parent, { name: 'to be deleted' });
    const root = service.client(gone);
    await expect(root.deleteSubOrganization({})).rejects.toThrow('has not been exported');
    const { subOrganizationUuid } = await root.deleteSubOrganization({ deleteWithoutExport: true });
    expect(subOrganizationUuid).toBe(gone.organizationId);
    await expect(root.getWhoami()).rejects.toMatchObject({ code: 5 });
    const { organizationIds } = await parent.getSubOrgIds({ filterType: 'NAME', filterValue: 'to be deleted' });
    expect(organizationIds).toEqual([]);
  });

  test('updateOrganizationName', async () => {
    const other = await newSubOrganization(parent, { name: 'before' });
    const { organizationId, organizationName } = await service
      .client(other)
      .updateOrganizationName({ organizationName: 'after' });
    expect({ organizationId, organizationName }).toEqual({
      organizationId: other.organizationId,
      organizationName: 'after',
    });
    expect((await service.client(other).getWhoami()).organizationName).toBe('after');
  });
});

describe('whoami', () => {
  test('of the root organization', async () => {
    expect(await parent.getWhoami()).toEqual({
      organizationId: service.root.organizationId,
      organizationName: expect.any(String),
      userId: service.root.userId,
      username: expect.any(String),
    });
  });

  test('through the id of the parent', async () => {
    const through = service.client({ ...sub, organizationId: service.root.organizationId });
    const identity = {
      organizationId: sub.organizationId,
      organizationName: 'first',
      userId: sub.userId,
      username: 'first',
    };
    expect(await through.getWhoami()).toEqual(identity);
    expect(await client.getWhoami()).toEqual(identity);
    await expect(through.getWallets()).rejects.toMatchObject({ code: 16 });
  });

  test('one key in two sub-organizations', async () => {
    const key = generateApiKey();
    const [one, two] = await Promise.all(
      [1, 2].map((index) => newSubOrganization(parent, { name: `twin ${index}`, key })),
    );
    const through = service.client({ organizationId: service.root.organizationId, userId: '', key });
    await expect(through.getWhoami()).rejects.toMatchObject({
      code: 16,
      message: expect.stringContaining('more than one suborg associated with a public key'),
      details: [{ turnkeyErrorCode: 'CREDENTIAL_CONFLICT' }],
    });
    for (const each of [one, two]) {
      const { organizationId } = each as SubOrganization;
      expect(await through.getWhoami({ organizationId })).toMatchObject({ organizationId });
    }
  });
});

describe('users', () => {
  test('are created, found, changed and deleted', async () => {
    const { userIds } = await client.createUsers({ users: [userParams('Bob'), userParams('Carol')] });
    const [userId = '', other = ''] = userIds;
    expect((await client.getUser({ userId })).user).toMatchObject({ userName: 'Bob', userTags: [], mfaPolicies: [] });
    expect((await client.updateUser({ userId, userName: 'Robert', userEmail: 'bob@example.com' })).userId).toBe(userId);
    expect((await client.updateUserName({ userId: other, userName: 'Caroline' })).userId).toBe(other);
    expect((await client.updateUserEmail({ userId: other, userEmail: 'carol@example.com' })).userId).toBe(other);
    expect((await client.updateUserPhoneNumber({ userId: other, userPhoneNumber: '+41790000000' })).userId).toBe(other);
    const { users } = await client.getUsers();
    expect(users.map(({ userName, userEmail, userPhoneNumber }) => [userName, userEmail, userPhoneNumber])).toEqual([
      ['first', undefined, undefined],
      ['Robert', 'bob@example.com', undefined],
      ['Caroline', 'carol@example.com', '+41790000000'],
    ]);
    await client.updateUserEmail({ userId: other, userEmail: '' });
    expect((await client.getUser({ userId: other })).user).not.toHaveProperty('userEmail');
    expect((await client.deleteUsers({ userIds })).userIds).toEqual(userIds);
    await expect(client.getUser({ userId })).rejects.toMatchObject({ code: 5 });
    expect((await client.getOauthProviders({ userId: sub.userId })).oauthProviders).toEqual([]);
  });

  test('who are not in the root quorum may manage their own credentials and nothing else', async () => {
    const key = generateApiKey();
    const userId = await newUser('Dave', key);
    const dave = service.client({ organizationId: sub.organizationId, userId, key });
    expect(await dave.getWhoami()).toMatchObject({ userId, username: 'Dave' });
    await expect(dave.createWallet({ walletName: 'mine', accounts: [] })).rejects.toMatchObject({
      name: 'TurnkeyRequestError',
      code: 7,
      message: expect.stringMatching(/^Turnkey error 7: request not authorized/),
      details: expect.any(Array),
    });
    const { apiKeyIds } = await dave.createApiKeys({ userId, apiKeys: [apiKeyParams(generateApiKey(), 'second')] });
    expect((await dave.deleteApiKeys({ userId, apiKeyIds })).apiKeyIds).toEqual(apiKeyIds);
    const ofAnother = { userId: sub.userId, apiKeys: [apiKeyParams(generateApiKey())] };
    await expect(dave.createApiKeys(ofAnother)).rejects.toMatchObject({ code: 7 });
  });
});

describe('authenticators', () => {
  test('are created, found, used and deleted', async () => {
    const userId = await newUser('Erin');
    const { passkey, params } = passkeyParams();
    const { authenticatorIds } = await client.createAuthenticators({ userId, authenticators: [params] });
    const [authenticatorId = ''] = authenticatorIds;
    const { authenticators } = await client.getAuthenticators({ userId });
    const { authenticator } = await client.getAuthenticator({ authenticatorId });
    expect(authenticators).toEqual([authenticator]);
    expect(authenticator).toMatchObject({
      authenticatorId,
      credentialId: passkey.credentialId,
      credential: { publicKey: passkey.publicKey.toString('base64url') },
      transports: ['AUTHENTICATOR_TRANSPORT_INTERNAL'],
      attestationType: 'none',
    });

    const stamp = async (body: string) => {
      const { header, value } = passkey.stamp(body);
      return { stampHeaderName: header, stampHeaderValue: value };
    };
    const { organizationId } = sub;
    const byPasskey = new TurnkeyApiClient({ stamper: { stamp }, apiBaseUrl: service.baseUrl, organizationId });
    expect(await byPasskey.getWhoami()).toMatchObject({ userId, username: 'Erin' });
    const { activity } = await byPasskey.createApiKeys({ userId, apiKeys: [apiKeyParams(generateApiKey())] });
    expect(activity.votes).toMatchObject([
      { scheme: 'SIGNATURE_SCHEME_TK_WEBAUTHN', publicKey: passkey.publicKey.toString('base64url') },
    ]);

    expect((await client.deleteAuthenticators({ userId, authenticatorIds })).authenticatorIds).toEqual(
      authenticatorIds,
    );
    await expect(byPasskey.getWhoami()).rejects.toMatchObject({
      code: 16,
      message: expect.stringContaining('credential ID could not be found in organization or its parent organization'),
    });
  });
});

describe('API keys', () => {
  test('are created, found and deleted', async () => {
    const userId = await newUser('Frank');
    const key = generateApiKey();
    const { apiKeyIds } = await client.createApiKeys({ userId, apiKeys: [apiKeyParams(key, 'ci')] });
    const [apiKeyId = ''] = apiKeyIds;
    const { apiKey } = await client.getApiKey({ apiKeyId });
    expect(apiKey).toMatchObject({
      apiKeyId,
      apiKeyName: 'ci',
      credential: { publicKey: key.publicKey, type: 'CREDENTIAL_TYPE_API_KEY_P256' },
    });
    expect((await client.getApiKeys({ userId })).apiKeys).toHaveLength(2);
    expect((await client.getApiKeys({ userId })).apiKeys).toContainEqual(apiKey);
    const ci = service.client({ organizationId: sub.organizationId, userId, key });
    expect(await ci.getWhoami()).toMatchObject({ userId });
    expect((await client.deleteApiKeys({ userId, apiKeyIds })).apiKeyIds).toEqual(apiKeyIds);
    await expect(ci.getWhoami()).rejects.toMatchObject({
      code: 16,
      message: expect.stringContaining('could not find public key in organization or its parent organization'),
      details: [{ turnkeyErrorCode: 'PUBLIC_KEY_NOT_FOUND' }],
    });
  });

  test('expire', async () => {
    const userId = await newUser('Grace');
    const key = generateApiKey();
    const expiring = { ...apiKeyParams(key), expirationSeconds: '2' };
    await client.createApiKeys({ userId, apiKeys: [expiring] });
    const grace = service.client({ organizationId: sub.organizationId, userId, key });
    expect(await grace.getWhoami()).toMatchObject({ userId });
    await sleep(2_100);
    const refusal = {
      code: 16,
      message: expect.stringContaining('Unauthenticated desc = expired api key publicKey'),
      details: [{ turnkeyErrorCode: 'API_KEY_EXPIRED' }],
    };
    await expect(grace.getWhoami()).rejects.toMatchObject(refusal);
    await expect(grace.createApiKeys({ userId, apiKeys: [expiring] })).rejects.toMatchObject(refusal);
  });
});

describe('wallets', () => {
  test.each([12, 15, 18, 21, 24])('of %i words', async (mnemonicLength) => {
    const accounts = [ethereumAccount(0), ethereumAccount(1)];
    const { walletId, addresses, activity } = await client.createWallet({
      walletName: `${mnemonicLength} words`,
      accounts,
      mnemonicLength,
    });
    expect(activity.intent.createWalletIntent?.mnemonicLength).toBe(mnemonicLength);
    expect(addresses).toHaveLength(2);
    expect((await client.getWallet({ walletId })).wallet).toMatchObject({ exported: false, imported: false });
  });

  test('of 13 words there are none', async () => {
    const parameters = { walletName: '13', accounts: [], mnemonicLength: 13 };
    await expect(client.createWallet(parameters)).rejects.toMatchObject({ code: 3 });
  });

  test('are listed, renamed and deleted', async () => {
    const { walletId } = await client.createWallet({ walletName: 'old name', accounts: [] });
    expect((await client.updateWallet({ walletId, walletName: 'new name' })).walletId).toBe(walletId);
    const { wallets } = await client.getWallets();
    expect(wallets).toContainEqual(expect.objectContaining({ walletId, walletName: 'new name' }));
    await expect(client.createWallet({ walletName: 'new name', accounts: [] })).rejects.toThrow('unique');
    await expect(client.deleteWallets({ walletIds: [walletId] })).rejects.toThrow('has not been exported');
    const { walletIds } = await client.deleteWallets({ walletIds: [walletId], deleteWithoutExport: true });
    expect(walletIds).toEqual([walletId]);
    await expect(client.getWallet({ walletId })).rejects.toMatchObject({ code: 5 });
  });

  test('accounts on three curves sign as they should', async () => {
    const { walletId } = await client.createWallet({ walletName: 'curves', accounts: [] });
    const account = { pathFormat: 'PATH_FORMAT_BIP32' as const };
    const { addresses } = await client.createWalletAccounts({
      walletId,
      accounts: [
        { ...account, curve: 'CURVE_SECP256K1', path: "m/44'/60'/0'/0/0", addressFormat: 'ADDRESS_FORMAT_ETHEREUM' },
        { ...account, curve: 'CURVE_ED25519', path: "m/44'/501'/0'/0'", addressFormat: 'ADDRESS_FORMAT_SOLANA' },
        { ...account, curve: 'CURVE_P256', path: "m/44'/0'/0'/0/0", addressFormat: 'ADDRESS_FORMAT_COMPRESSED' },
      ],
    });
    const [ethereum = '', solana = '', p256 = ''] = addresses;
    const message = Buffer.from('to be signed');
    const utf8 = { payload: message.toString(), encoding: 'PAYLOAD_ENCODING_TEXT_UTF8' } as const;

    const first = await client.signRawPayload({ ...utf8, signWith: ethereum, hashFunction: 'HASH_FUNCTION_KECCAK256' });
    const [r, s] = [`0x${first.r}`, `0x${first.s}`] as const;
    const signature = { r, s, yParity: Number(first.v) };
    expect(await recoverAddress({ hash: keccak256(toBytes(utf8.payload)), signature })).toBe(ethereum);

    const second = await client.signRawPayload({
      ...utf8,
      signWith: solana,
      hashFunction: 'HASH_FUNCTION_NOT_APPLICABLE',
    });
    expect(verify(null, message, ed25519Key(base58.decode(solana)), bytesOf(second))).toBe(true);
    expect(second.v).toBe('00');

    const third = await client.signRawPayload({ ...utf8, signWith: p256, hashFunction: 'HASH_FUNCTION_SHA256' });
    const key = { key: p256Key(Buffer.from(p256, 'hex')), dsaEncoding: 'ieee-p1363' } as const;
    expect(verify('sha256', message, key, bytesOf(third))).toBe(true);

    const { encoding } = utf8;
    const payloads = ['a', 'b'];
    const several = { signWith: solana, encoding, payloads, hashFunction: 'HASH_FUNCTION_NOT_APPLICABLE' } as const;
    const { signatures } = await client.signRawPayloads(several);
    const valid = signatures?.map((each, index) =>
      verify(null, Buffer.from(payloads[index] as string), ed25519Key(base58.decode(solana)), bytesOf(each)),
    );
    expect(valid).toEqual([true, true]);

    await expect(
      client.signRawPayload({ ...utf8, signWith: solana, hashFunction: 'HASH_FUNCTION_SHA256' }),
    ).rejects.toThrow('invalid hash function');
    await expect(
      client.signRawPayload({
        ...utf8,
        signWith: '0x0000000000000000000000000000000000000000',
        hashFunction: 'HASH_FUNCTION_SHA256',
      }),
    ).rejects.toMatchObject({ code: 5 });
  });

  test('accounts are listed in pages, found by address and by path, and deleted', async () => {
    const accounts = Array.from({ length: 5 }, (_, index) => ({ ...ethereumAccount(index), name: `account ${index}` }));
    const { walletId, addresses } = await client.createWallet({ walletName: 'pages', accounts });
    const all = await client.getWalletAccounts({ walletId });
    expect(all.accounts.map(({ address }) => address)).toEqual(addresses);
    expect(all.accounts[0]).toMatchObject({
      organizationId: sub.organizationId,
      walletId,
      name: 'account 0',
      curve: 'CURVE_SECP256K1',
      pathFormat: 'PATH_FORMAT_BIP32',
      path: "m/44'/60'/0'/0/0",
      addressFormat: 'ADDRESS_FORMAT_ETHEREUM',
      publicKey: expect.stringMatching(/^0[23][0-9a-f]{64}$/),
    });
    const page = async (paginationOptions: { limit?: string; after?: string; before?: string }) =>
      (await client.getWalletAccounts({ walletId, paginationOptions })).accounts.map(({ address }) =>
        addresses.indexOf(address),
      );
    const id = (index: number) => all.accounts[index]?.walletAccountId as string;
    expect(await page({ limit: '2' })).toEqual([0, 1]);
    expect(await page({ limit: '2', after: id(1) })).toEqual([2, 3]);
    expect(await page({ limit: '2', before: id(4) })).toEqual([2, 3]);
    const [detailed] = (await client.getWalletAccounts({ walletId, includeWalletDetails: true })).accounts;
    expect(detailed?.walletDetails).toMatchObject({ walletId, walletName: 'pages' });
    expect((await client.getWalletAccounts({})).accounts.length).toBe(10);

    const [, address = ''] = addresses;
    const { account } = await client.getWalletAccount({ walletId, address: address.toLowerCase() });
    expect(account).toEqual(all.accounts[1]);
    expect((await client.getWalletAccount({ walletId, path: "m/44'/60'/0'/0/1" })).account).toEqual(account);
    const more = { walletId, accounts: [ethereumAccount(0)] };
    await expect(client.createWalletAccounts(more)).rejects.toThrow('invalid path');

    const walletAccountIds = [id(1), id(2)];
    const deleted = await client.deleteWalletAccounts({ walletAccountIds, deleteWithoutExport: true });
    expect(deleted.walletAccountIds).toEqual(walletAccountIds);
    expect(await page({})).toEqual([0, 3, 4]);
  });

  test('addresses can be derived without being kept', async () => {
    const { walletId } = await client.createWallet({ walletName: 'fleeting', accounts: [] });
    const accounts = [ethereumAccount(7)];
    const fleeting = await client.createWalletAccounts({ walletId, accounts, persist: false });
    expect((await client.getWalletAccounts({ walletId })).accounts).toEqual([]);
    expect((await client.createWalletAccounts({ walletId, accounts })).addresses).toEqual(fleeting.addresses);
  });

  test('every address format has an address at the default path of the client, or is named as missing', async () => {
    const missing: string[] = [];
    const { walletId } = await client.createWallet({ walletName: 'formats', accounts: [] });
    for (const [addressFormat, { defaultAccounts }] of Object.entries(addressFormatConfig)) {
      for (const account of defaultAccounts ?? []) {
        const { path } = account;
        const { addresses } = await client
          .createWalletAccounts({ walletId, accounts: [account], persist: false })
          .catch(({ code, message }) => {
            expect({ code, message }).toEqual({ code: 12, message: expect.stringContaining(addressFormat) });
            missing.push(addressFormat);
            return { addresses: [path] };
          });
        expect(addresses).toEqual([expect.any(String)]);
      }
    }
    expect(missing.filter((format) => !/P2WSH|TON_V|SPARK/.test(format))).toEqual([]);
  });
});

describe('private keys', () => {
  test('on three curves are created, listed, found and deleted', async () => {
    const privateKeyTags: string[] = [];
    const created = await client.createPrivateKeys({
      privateKeys: [
        {
          privateKeyName: 'ethereum',
          curve: 'CURVE_SECP256K1',
          privateKeyTags,
          addressFormats: ['ADDRESS_FORMAT_ETHEREUM'],
        },
        {
          privateKeyName: 'solana',
          curve: 'CURVE_ED25519',
          privateKeyTags,
          addressFormats: ['ADDRESS_FORMAT_SOLANA', 'ADDRESS_FORMAT_SUI'],
        },
        { privateKeyName: 'plain', curve: 'CURVE_P256', privateKeyTags, addressFormats: [] },
      ],
    });
    expect(created.privateKeys.map(({ addresses }) => addresses?.map(({ format }) => format))).toEqual([
      ['ADDRESS_FORMAT_ETHEREUM'],
      ['ADDRESS_FORMAT_SOLANA', 'ADDRESS_FORMAT_SUI'],
      [],
    ]);
    const ids = created.privateKeys.map(({ privateKeyId }) => privateKeyId as string);
    const { privateKeys } = await client.getPrivateKeys();
    expect(privateKeys.map(({ privateKeyId, privateKeyName }) => [privateKeyId, privateKeyName])).toEqual([
      [ids[0], 'ethereum'],
      [ids[1], 'solana'],
      [ids[2], 'plain'],
    ]);
    const [privateKeyId = ''] = ids;
    const { privateKey } = await client.getPrivateKey({ privateKeyId });
    expect(privateKey).toEqual(privateKeys[0]);
    const hash = keccak256(toBytes('hash'));
    const { r, s, v } = await client.signRawPayload({
      signWith: privateKeyId,
      payload: hash,
      encoding: 'PAYLOAD_ENCODING_HEXADECIMAL',
      hashFunction: 'HASH_FUNCTION_NO_OP',
    });
    const signature = { r: `0x${r}`, s: `0x${s}`, yParity: Number(v) } as const;
    expect(await recoverAddress({ hash, signature })).toBe(privateKey.addresses[0]?.address);
    await expect(client.deletePrivateKeys({ privateKeyIds: ids })).rejects.toThrow('has not been exported');
    const deleted = await client.deletePrivateKeys({ privateKeyIds: ids, deleteWithoutExport: true });
    expect(deleted.privateKeyIds).toEqual(ids);
    expect((await client.getPrivateKeys()).privateKeys).toEqual([]);
  });
});

describe('policies', () => {
  test('are created, listed, changed and deleted', async () => {
    const policy = {
      policyName: 'p1',
      effect: 'EFFECT_ALLOW',
      condition: 'true',
      consensus: 'true',
      notes: 'note',
    } as const;
    const { policyId } = await client.createPolicy(policy);
    const { policyIds } = await client.createPolicies({
      policies: [
        { policyName: 'p2', effect: 'EFFECT_DENY', notes: '' },
        { policyName: 'p3', effect: 'EFFECT_ALLOW', notes: '' },
      ],
    });
    await expect(client.createPolicy(policy)).rejects.toThrow('policy label must be unique');
    expect((await client.getPolicy({ policyId })).policy).toMatchObject({ policyId, ...policy });
    const updated = await client.updatePolicy({
      policyId,
      policyName: 'p1b',
      policyEffect: 'EFFECT_DENY',
      policyNotes: '',
    });
    expect(updated.policyId).toBe(policyId);
    const { policies } = await client.getPolicies();
    expect(policies.map(({ policyName, effect, condition }) => [policyName, effect, condition])).toEqual([
      ['p1b', 'EFFECT_DENY', 'true'],
      ['p2', 'EFFECT_DENY', ''],
      ['p3', 'EFFECT_ALLOW', ''],
    ]);
    expect((await client.deletePolicy({ policyId })).policyId).toBe(policyId);
    expect((await client.deletePolicies({ policyIds })).policyIds).toEqual(policyIds);
    expect((await client.getPolicies()).policies).toEqual([]);
  });
});

describe('MFA policies and session profiles', () => {
  test('a second credential carries out what waits for authenticators', async () => {
    const own = await newSubOrganization(parent, { name: 'factors' });
    const root = service.client(own);
    const key = generateApiKey();
    const { apiKeyIds } = await root.createApiKeys({ userId: own.userId, apiKeys: [apiKeyParams(key)] });
    const [{ id: first }] = (await root.getApiKeys({ userId: own.userId })).apiKeys.map(({ apiKeyId }) => ({
      id: apiKeyId,
    })) as [{ id: string }];
    const method = (id = '') => ({ any: [{ type: 'AUTHENTICATION_TYPE_API_KEY' as const, id }] });
    const policy = {
      mfaPolicyName: 'two keys',
      condition: "activity.action == 'SIGN'",
      requiredAuthenticationMethods: [method(first), method(apiKeyIds[0])],
      order: 0,
      notes: 'note',
    };
    const { mfaPolicyId } = await root.createMfaPolicy({ userId: own.userId, ...policy });
    expect((await root.getMfaPolicy({ userId: own.userId, mfaPolicyId })).mfaPolicy).toMatchObject(policy);
    expect((await root.getMfaPolicies({ userId: own.userId })).mfaPolicies).toHaveLength(1);
    expect((await root.getUser({ userId: own.userId })).user.mfaPolicies).toMatchObject([{ mfaPolicyId, ...policy }]);
    const asked = await root.signRawPayload({
      signWith: own.address,
      payload: 'please',
      encoding: 'PAYLOAD_ENCODING_TEXT_UTF8',
      hashFunction: 'HASH_FUNCTION_KECCAK256',
    });
    expect(asked.activity).toMatchObject({ status: 'ACTIVITY_STATUS_AUTHENTICATORS_NEEDED', canApprove: true });
    const { mfaStatuses } = await root.getMfaStatus({ activityId: asked.activity.id });
    expect(mfaStatuses).toMatchObject([
      { mfaPolicyId, userId: own.userId, satisfied: false, satisfiedMethods: method(first).any },
    ]);
    const second = service.client({ ...own, key });
    const { activity } = await second.approveActivity({ fingerprint: asked.activity.fingerprint });
    expect(activity.status).toBe('ACTIVITY_STATUS_COMPLETED');
    expect(activity.result.signRawPayloadResult?.r).toMatch(/^[0-9a-f]{64}$/);
    const notes = { userId: own.userId, mfaPolicyId, notes: 'another' };
    expect((await root.updateMfaPolicy(notes)).mfaPolicyId).toBe(mfaPolicyId);
    expect((await root.deleteMfaPolicy({ userId: own.userId, mfaPolicyId })).activity.status).toBe(
      'ACTIVITY_STATUS_AUTHENTICATORS_NEEDED',
    );
  });

  test('profiles are seen by the organization and its sub-organizations', async () => {
    const profile = { sessionProfileName: 'signing', scope: "activity.action == 'SIGN'", expirationSeconds: '900' };
    const { sessionProfileId } = await parent.createSessionProfile({ ...profile, notes: 'note' });
    for (const reader of [parent, client]) {
      expect((await reader.getSessionProfile({ sessionProfileId })).sessionProfile).toMatchObject(profile);
      expect((await reader.getSessionProfiles({})).sessionProfiles).toHaveLength(1);
    }
  });
});

describe('root quorum and features', () => {
  test('the quorum changes hands', async () => {
    const own = await newSubOrganization(parent, { name: 'quorum' });
    const root = service.client(own);
    const key = generateApiKey();
    const { userIds } = await root.createUsers({ users: [userParams('second', key)] });
    const members = [own.userId, userIds[0] as string];
    await root.updateRootQuorum({ threshold: 1, userIds: members });
    expect((await root.getOrganizationConfigs({})).configs.quorum).toEqual({ threshold: 1, userIds: members });
    const second = service.client({ organizationId: own.organizationId, userId: members[1] as string, key });
    await second.updateRootQuorum({ threshold: 1, userIds: [members[1] as string] });
    await expect(root.updateRootQuorum({ threshold: 1, userIds: members })).rejects.toMatchObject({ code: 7 });
    await expect(second.updateRootQuorum({ threshold: 2, userIds: [members[1] as string] })).rejects.toThrow(
      'quorum users missing',
    );
    await expect(second.updateRootQuorum({ threshold: 0, userIds: members })).rejects.toThrow(
      'quorum threshold must be non-zero integer',
    );
  });

  test('what needs two is approved or rejected by the second, with the result of what was asked', async () => {
    const own = await newSubOrganization(parent, { name: 'pair' });
    const root = service.client(own);
    const key = generateApiKey();
    const { userIds } = await root.createUsers({ users: [userParams('second', key)] });
    const second = service.client({ organizationId: own.organizationId, userId: userIds[0] as string, key });
    await root.updateRootQuorum({ threshold: 2, userIds: [own.userId, userIds[0] as string] });
    const ask = (text: string) =>
      root.signRawPayload({
        signWith: own.address,
        payload: text,
        encoding: 'PAYLOAD_ENCODING_TEXT_UTF8',
        hashFunction: 'HASH_FUNCTION_KECCAK256',
      });
    const asked = await ask('please');
    expect(asked.activity.status).toBe('ACTIVITY_STATUS_CONSENSUS_NEEDED');
    const { activity } = await second.approveActivity({ fingerprint: asked.activity.fingerprint });
    expect(activity.status).toBe('ACTIVITY_STATUS_COMPLETED');
    expect(activity.result.signRawPayloadResult?.r).toMatch(/^[0-9a-f]{64}$/);
    expect(activity.votes.map(({ userId }) => userId)).toEqual([own.userId, userIds[0]]);
    const { policyEvaluations } = await root.getPolicyEvaluations({ activityId: activity.id });
    expect(policyEvaluations.map(({ activityId }) => activityId)).toEqual([activity.id, activity.id]);
    const other = await ask('no, thank you');
    const rejected = await second.rejectActivity({ fingerprint: other.activity.fingerprint });
    expect(rejected.activity.status).toBe('ACTIVITY_STATUS_REJECTED');
  });

  test('features are set and removed', async () => {
    const origins = { name: 'FEATURE_NAME_WEBAUTHN_ORIGINS', value: 'https://app.example.com' } as const;
    const own = await newSubOrganization(parent, { name: 'features' });
    const root = service.client(own);
    expect((await root.setOrganizationFeature(origins)).features).toContainEqual(origins);
    expect((await root.getOrganizationConfigs({})).configs.features).toContainEqual(origins);
    expect((await root.removeOrganizationFeature({ name: origins.name })).features).not.toContainEqual(origins);
  });
});

describe('activities', () => {
  test('are found by id, and listed newest first, in pages and by filters', async () => {
    const own = await newSubOrganization(parent, { name: 'activities' });
    const root = service.client(own);
    const made: string[] = [];
    for (const name of ['a', 'b', 'c', 'd']) {
      const { activity } = await root.createWallet({ walletName: name, accounts: [] });
      made.unshift(activity.id);
    }
    const { activity } = await root.createPolicy({ policyName: 'p', effect: 'EFFECT_DENY', notes: '' });
    expect(await root.getActivity({ activityId: activity.id })).toEqual({ activity });
    const list = async (input: Parameters<Client['getActivities']>[0]) =>
      (await root.getActivities(input)).activities.map(({ id }) => id);
    const all = [activity.id, ...made];
    expect(await list({})).toEqual(all);
    expect(await list({ paginationOptions: { limit: '2' } })).toEqual(all.slice(0, 2));
    expect(await list({ paginationOptions: { limit: '2', after: all[1] as string } })).toEqual(all.slice(2, 4));
    expect(await list({ paginationOptions: { limit: '2', before: all[3] as string } })).toEqual(all.slice(1, 3));
    expect(await list({ filterByType: ['ACTIVITY_TYPE_CREATE_WALLET'] })).toEqual(made);
    expect(await list({ filterByType: ['ACTIVITY_TYPE_CREATE_USERS_V4'] })).toEqual([]);
    expect(await list({ filterByStatus: ['ACTIVITY_STATUS_COMPLETED'], paginationOptions: { limit: '100' } })).toEqual(
      all,
    );
    expect(await list({ filterByStatus: ['ACTIVITY_STATUS_FAILED', 'ACTIVITY_STATUS_REJECTED'] })).toEqual([]);
    await expect(root.getActivities({ paginationOptions: { limit: '101' } })).rejects.toMatchObject({ code: 3 });
    await expect(root.getActivity({ activityId: sub.userId })).rejects.toMatchObject({ code: 5 });
    expect((await parent.getActivities({ organizationId: own.organizationId })).activities).toHaveLength(5);
  });
});

describe('sub-organizations of a parent', () => {
  type Filter = NonNullable<Parameters<Client['getSubOrgIds']>[0]>;
  const find = async (filter: Filter) => (await parent.getSubOrgIds(filter)).organizationIds;

  test('are found by each filter', async () => {
    const { params } = passkeyParams();
    const key = generateApiKey();
    const { subOrganizationId, wallet } = await parent.createSubOrganization({
      subOrganizationName: 'Filtered & <found>',
      rootQuorumThreshold: 1,
      rootUsers: [
        {
          userName: 'Zoë',
          userEmail: 'zoe@example.com',
          userPhoneNumber: '+41781112233',
          apiKeys: [apiKeyParams(key)],
          authenticators: [params],
          oauthProviders: [],
        },
      ],
      wallet: { walletName: 'w', accounts: [ethereumAccount()] },
    });
    const [address = ''] = wallet?.addresses ?? [];
    const filters: [filterType: NonNullable<Filter['filterType']>, filterValue: string][] = [
      ['NAME', 'Filtered & <found>'],
      ['USERNAME', 'Zoë'],
      ['EMAIL', 'zoe@example.com'],
      ['PHONE_NUMBER', '+41781112233'],
      ['CREDENTIAL_ID', params.attestation.credentialId],
      ['PUBLIC_KEY', key.publicKey],
      ['WALLET_ACCOUNT_ADDRESS', address],
    ];
    for (const [filterType, filterValue] of filters) {
      expect([filterType, await find({ filterType, filterValue })]).toEqual([filterType, [subOrganizationId]]);
      expect([filterType, await find({ filterType, filterValue: `${filterValue}x` })]).toEqual([filterType, []]);
    }
    await expect(find({ filterType: 'OIDC_TOKEN', filterValue: 'x.y.z' })).rejects.toMatchObject({ code: 12 });
    await expect(client.getSubOrgIds({})).rejects.toMatchObject({ code: 7 });
  });

  test('are listed in pages', async () => {
    const all = await find({ paginationOptions: { limit: '100' } });
    expect(new Set(all).size).toBe(all.length);
    expect(all).toContain(sub.organizationId);
    const pages: string[] = [];
    for (let page = await find({ paginationOptions: { limit: '3' } }); page.length > 0; ) {
      pages.push(...page);
      page = await find({ paginationOptions: { limit: '3', after: page.at(-1) as string } });
    }
    expect(pages).toEqual(all);
    const before = await find({ paginationOptions: { limit: '2', before: all[4] as string } });
    expect(before).toEqual(all.slice(2, 4));
  });

  test('have no verified contact until there are codes to verify one', async () => {
    for (const filterType of ['EMAIL', 'PHONE_NUMBER'] as const) {
      const verified = await parent.getVerifiedSubOrgIds({ filterType, filterValue: 'zoe@example.com' });
      expect(verified.organizationIds).toEqual([]);
    }
  });
});

describe('tags', () => {
  test('of users', async () => {
    const userId = await newUser('Tess');
    const { userTagId, userIds } = await client.createUserTag({ userTagName: 'traders', userIds: [userId] });
    expect([userTagId, userIds]).toEqual([uuid, [userId]]);
    const second = await client.createUserTag({ userTagName: 'second', userIds: [] });
    expect(
      (await client.listUserTags({})).userTags.map(({ tagId, tagName, tagType }) => [tagId, tagName, tagType]),
    ).toEqual([
      [userTagId, 'traders', 'TAG_TYPE_USER'],
      [second.userTagId, 'second', 'TAG_TYPE_USER'],
    ]);
    const tagsOf = async () => (await client.getUser({ userId })).user.userTags;
    const change = { userTagId, newUserTagName: 'desk', addUserIds: [sub.userId], removeUserIds: [userId] };
    expect((await client.updateUserTag(change)).userTagId).toBe(userTagId);
    expect(await tagsOf()).toEqual([]);
    await client.updateUser({ userId, userTagIds: [second.userTagId, userTagId] });
    expect(await tagsOf()).toEqual([second.userTagId, userTagId]);
    await expect(client.createUserTag({ userTagName: 'desk', userIds: [] })).rejects.toMatchObject({ code: 3 });
    const deleted = await client.deleteUserTags({ userTagIds: [userTagId] });
    expect([deleted.userTagIds, deleted.userIds.toSorted()]).toEqual([[userTagId], [sub.userId, userId].toSorted()]);
    expect(await tagsOf()).toEqual([second.userTagId]);
    await client.deleteUsers({ userIds: [userId] });
  });

  test('of private keys', async () => {
    const { privateKeyTagId } = await client.createPrivateKeyTag({ privateKeyTagName: 'cold', privateKeyIds: [] });
    const privateKeyTags = [privateKeyTagId];
    const { privateKeys } = await client.createPrivateKeys({
      privateKeys: [{ privateKeyName: 'tagged', curve: 'CURVE_P256', privateKeyTags, addressFormats: [] }],
    });
    const privateKeyId = privateKeys[0]?.privateKeyId as string;
    expect((await client.getPrivateKey({ privateKeyId })).privateKey.privateKeyTags).toEqual(privateKeyTags);
    const nothing = { addPrivateKeyIds: [], removePrivateKeyIds: [] };
    const renamed = await client.updatePrivateKeyTag({ privateKeyTagId, newPrivateKeyTagName: 'vault', ...nothing });
    expect(renamed.privateKeyTagId).toBe(privateKeyTagId);
    expect((await client.listPrivateKeyTags({})).privateKeyTags).toMatchObject([
      { tagId: privateKeyTagId, tagName: 'vault', tagType: 'TAG_TYPE_PRIVATE_KEY' },
    ]);
    const deleted = await client.deletePrivateKeyTags({ privateKeyTagIds: privateKeyTags });
    expect([deleted.privateKeyTagIds, deleted.privateKeyIds]).toEqual([privateKeyTags, [privateKeyId]]);
    expect((await client.getPrivateKey({ privateKeyId })).privateKey.privateKeyTags).toEqual([]);
    await client.deletePrivateKeys({ privateKeyIds: [privateKeyId], deleteWithoutExport: true });
  });
});

test('the interface of a contract is uploaded, found, listed and deleted', async () => {
  const smartContractAddress = '0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48';
  const upload = (abi: object) =>
    client.createSmartContractInterface({
      smartContractAddress,
      smartContractInterface: JSON.stringify(abi),
      type: 'SMART_CONTRACT_INTERFACE_TYPE_ETHEREUM',
      label: 'USDC',
      notes: '',
    });
  await expect(upload([{ type: 'function', name: 'f', inputs: [{ type: 'bool' }] }])).rejects.toMatchObject({
    code: 3,
    message: expect.stringContaining('provided ABI is invalid'),
  });
  // In viem's ABIs what a function returns has no name.
  const abi = erc20Abi;
  const { smartContractInterfaceId } = await upload(abi);
  const { smartContractInterface } = await client.getSmartContractInterface({ smartContractInterfaceId });
  expect(smartContractInterface).toMatchObject({
    ...{ organizationId: sub.organizationId, smartContractInterfaceId },
    smartContractAddress: smartContractAddress.toLowerCase(),
    smartContractInterface: JSON.stringify(abi),
  });
  expect((await client.getSmartContractInterfaces({})).smartContractInterfaces).toEqual([smartContractInterface]);
  const deleted = await client.deleteSmartContractInterface({ smartContractInterfaceId });
  expect(deleted.smartContractInterfaceId).toBe(smartContractInterfaceId);
});

test('an endpoint that is not there is refused in words', async () => {
  await expect(client.getTvcApps({})).rejects.toMatchObject({ code: 12, details: [] });
});

test('everything that this client has of the registry was called with success', () => {
  const paths = [...activities.map(({ name }) => `submit/${name}`), ...queries.map(({ name }) => `query/${name}`)];
  // The first two are only in `@turnkey/http`; a transaction is signed in the tests of its libraries.
  const elsewhere = ['submit/create_api_only_users', 'query/get_organization', 'submit/sign_transaction'];
  const ours = [...ourQueries.map((name) => `query/${name}`), ...ourActivities.map((name) => `submit/${name}`)];
  const missing = paths.filter((path) => !service.succeeded.has(`/public/v1/${path}`));
  expect(missing.toSorted()).toEqual([...elsewhere, ...ours].toSorted());
});

const bytesOf = ({ r, s }: { r: string; s: string }): Buffer => Buffer.from(r + s, 'hex');

/** From SubjectPublicKeyInfo, whose last bytes are the key. */
const ed25519Key = (key: Uint8Array): KeyObject => spki('302a300506032b6570032100', key);
const p256Key = (key: Uint8Array): KeyObject => spki('3039301306072a8648ce3d020106082a8648ce3d030107032200', key);
const spki = (prefix: string, key: Uint8Array): KeyObject =>
  createPublicKey({ key: Buffer.concat([Buffer.from(prefix, 'hex'), key]), format: 'der', type: 'spki' });
