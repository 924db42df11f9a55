import { beforeEach, describe, expect, test } from 'vitest';
import { noContent, type Organization } from '../../../src/enclave/state.ts';
import { createWorld, newApiKey, now, type World } from '../../support/effect-context.ts';
import { newRegistration } from '../../support/registration.ts';

let world: World;
let parentId: string;
beforeEach(() => {
  world = createWorld();
  parentId = world.parent.id;
});

const account = {
  curve: 'CURVE_SECP256K1',
  pathFormat: 'PATH_FORMAT_BIP32',
  path: "m/44'/60'/0'/0/0",
  addressFormat: 'ADDRESS_FORMAT_ETHEREUM',
};
const wallet = { walletName: 'Default', accounts: [account, { ...account, path: "m/44'/60'/0'/0/1" }] };
const rootUser = (more = {}) => ({
  userName: 'Ada',
  apiKeys: [newApiKey()],
  authenticators: [],
  oauthProviders: [],
  ...more,
});
const create = (more = {}, version = 'V8', organizationId = parentId) =>
  world.run(organizationId, `CREATE_SUB_ORGANIZATION_${version}`, {
    subOrganizationName: 'Sub',
    rootUsers: [rootUser()],
    rootQuorumThreshold: 1,
    ...more,
  });

describe('create_sub_organization', () => {
  test.each(['V7', 'V8'])('%s with a passkey user and a wallet', async (version) => {
    const passkey = newRegistration();
    const result = await create({ wallet, rootUsers: [rootUser({ authenticators: [passkey] }), rootUser()] }, version);
    expect(Object.keys(result)).toEqual(['subOrganizationId', 'wallet', 'rootUserIds']);
    const sub = world.organization(result.subOrganizationId);
    expect(sub).toMatchObject({
      parentId,
      deleted: false,
      settings: {
        name: 'Sub',
        createdAt: now,
        rootQuorum: { threshold: 1, userIds: result.rootUserIds },
        origins: null,
        rpIds: null,
      },
    });
    expect([...sub.users.keys()]).toEqual(result.rootUserIds);
    expect(sub.users.get(result.rootUserIds[0])?.authenticators[0]?.credentialId).toBe(
      passkey.attestation.credentialId,
    );
    expect([...sub.accounts.values()].map(({ address }) => address)).toEqual(result.wallet.addresses);
    expect(sub.wallets.get(result.wallet.walletId)?.name).toBe('Default');
    expect([...world.keys.values()].map((key) => key.organizationId)).toEqual(Array(3).fill(sub.id));
    expect(world.organization(parentId)).toBe(world.parent);
  });

  test('without a wallet the result has none; a name may be empty', async () => {
    const result = await create({ subOrganizationName: '' });
    expect(Object.keys(result)).toEqual(['subOrganizationId', 'rootUserIds']);
  });

  test('V3 makes private keys', async () => {
    const { oauthProviders: _, ...user } = rootUser();
    const apiKeys = user.apiKeys.map(({ curveType: _, ...key }) => key);
    const privateKeys = [
      {
        privateKeyName: 'k',
        curve: 'CURVE_SECP256K1',
        privateKeyTags: [],
        addressFormats: ['ADDRESS_FORMAT_ETHEREUM'],
      },
    ];
    const result = await create({ privateKeys, rootUsers: [{ ...user, apiKeys }] }, 'V3');
    const sub = world.organization(result.subOrganizationId);
    expect(result.privateKeys).toEqual(
      [...sub.privateKeys.values()].map(({ id, addresses }) => ({ privateKeyId: id, addresses })),
    );
    expect(world.keys.size).toBe(1);
  });

  test('keeps the login methods that are not turned off', async () => {
    const { subOrganizationId } = await create({ disableEmailAuth: true, disableSmsAuth: true });
    expect(world.organization(subOrganizationId).settings.features.map(({ name }) => name)).toEqual([
      'FEATURE_NAME_EMAIL_RECOVERY',
      'FEATURE_NAME_OTP_EMAIL_AUTH',
    ]);
  });

  test.each<[string, object, string, RegExp]>([
    ['no root users', { rootUsers: [] }, 'INVALID_ARGUMENT', /^quorum users missing$/],
    ['a threshold above the users', { rootQuorumThreshold: 2 }, 'INVALID_ARGUMENT', /^quorum users missing$/],
    ['a threshold of zero', { rootQuorumThreshold: 0 }, 'INVALID_ARGUMENT', /^quorum threshold must be non-zero/],
    [
      'a user without credentials',
      { rootUsers: [{ userName: 'Ada' }] },
      'INVALID_ARGUMENT',
      /^expected an authenticator or an api key$/,
    ],
    [
      'OIDC',
      { rootUsers: [{ userName: 'Ada', oauthProviders: [{ providerName: 'p', oidcToken: 't' }] }] },
      'UNIMPLEMENTED',
      /OIDC/,
    ],
    ['a verification token', { verificationToken: 't' }, 'UNIMPLEMENTED', /one-time password/],
    [
      'a client signature',
      {
        clientSignature: {
          publicKey: '02',
          scheme: 'CLIENT_SIGNATURE_SCHEME_API_P256',
          message: '{}',
          signature: '30',
        },
      },
      'UNIMPLEMENTED',
      /one-time password/,
    ],
    ['a bad wallet', { wallet: { ...wallet, accounts: [account, account] } }, 'INVALID_ARGUMENT', /^invalid path$/],
  ])('refuses %s', async (_, more, code, message) => {
    await expect(create(more)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    expect(world.keys.size).toBe(0);
  });

  test('only in a parent organization', async () => {
    const { subOrganizationId } = await create();
    await expect(create({}, 'V8', subOrganizationId)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});

describe('passkey origins', () => {
  const name = 'FEATURE_NAME_WEBAUTHN_ORIGINS';
  const settings = (id: string) => world.organization(id).settings;
  const set = (id: string, value: string) => world.run(id, 'SET_ORGANIZATION_FEATURE', { name, value });

  test('of the parent are taken over at creation, and stay then', async () => {
    const value = 'https://app.wallet.example.com, http://localhost:3000';
    expect(await set(parentId, value)).toEqual({ features: [{ name, value }] });
    const { subOrganizationId } = await create({ rootUsers: [rootUser({ authenticators: [newRegistration()] })] });
    const expected = {
      origins: ['https://app.wallet.example.com', 'http://localhost:3000'],
      rpIds: ['app.wallet.example.com', 'wallet.example.com', 'example.com', 'localhost'],
    };
    expect(settings(subOrganizationId)).toMatchObject(expected);
    await set(parentId, 'https://other.example');
    expect(settings(subOrganizationId)).toMatchObject(expected);
    await expect(create({ rootUsers: [rootUser({ authenticators: [newRegistration()] })] })).rejects.toThrow(
      'invalid authenticator attestation',
    );
  });

  test('of a sub-organization are its own', async () => {
    const { subOrganizationId } = await create();
    await set(subOrganizationId, 'https://mine.example');
    expect(settings(subOrganizationId)).toMatchObject({ origins: ['https://mine.example'], rpIds: ['mine.example'] });
    await world.run(subOrganizationId, 'REMOVE_ORGANIZATION_FEATURE', { name });
    expect(settings(subOrganizationId)).toMatchObject({ origins: null, rpIds: null });
    expect(settings(parentId)).toBe(world.parent.settings);
  });

  test.each(['', 'x', 'http://example.com', 'https://example.com/path', 'https://127.0.0.1'])(
    'refuses %o',
    async (value) => {
      await expect(set(parentId, value)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
      expect(world.organization(parentId)).toBe(world.parent);
    },
  );
});

describe('settings', () => {
  test('other features are stored, replaced in place and removed', async () => {
    const set = (name: string, value: string) =>
      world.run(parentId, 'SET_ORGANIZATION_FEATURE', { name: `FEATURE_NAME_${name}`, value });
    await set('WEBHOOK', 'https://a.example');
    await set('SMS_AUTH', '');
    expect(await set('WEBHOOK', 'https://b.example')).toEqual({
      features: [
        { name: 'FEATURE_NAME_WEBHOOK', value: 'https://b.example' },
        { name: 'FEATURE_NAME_SMS_AUTH', value: '' },
      ],
    });
    const name = 'FEATURE_NAME_WEBHOOK';
    expect(await world.run(parentId, 'REMOVE_ORGANIZATION_FEATURE', { name })).toEqual({
      features: [{ name: 'FEATURE_NAME_SMS_AUTH', value: '' }],
    });
    await expect(set('TELEPATHY', '')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  test('the name', async () => {
    world.advance(9);
    expect(await world.run(parentId, 'UPDATE_ORGANIZATION_NAME', { organizationName: 'New' })).toEqual({
      organizationId: parentId,
      organizationName: 'New',
    });
    expect(world.organization(parentId).settings).toMatchObject({ name: 'New', createdAt: now, updatedAt: now + 9 });
  });
});

describe('delete_sub_organization', () => {
  test('leaves a tombstone', async () => {
    const { subOrganizationId } = await create({ wallet });
    await expect(world.run(subOrganizationId, 'DELETE_SUB_ORGANIZATION', {})).rejects.toThrow(
      'wallet has not been exported',
    );
    const result = await world.run(subOrganizationId, 'DELETE_SUB_ORGANIZATION', { deleteWithoutExport: true });
    expect(result).toEqual({ subOrganizationUuid: subOrganizationId });
    const { settings, ...tombstone } = world.organization(subOrganizationId);
    expect(tombstone).toEqual({
      id: subOrganizationId,
      parentId,
      ...noContent,
      deleted: true,
    } satisfies Omit<Organization, 'settings'>);
    expect(settings).toMatchObject({ name: '', features: [], rootQuorum: { userIds: [] } });
    expect(world.keys.size).toBe(0);
  });

  test('needs no flag when nothing is left to export; a parent stays', async () => {
    const { subOrganizationId } = await create();
    await expect(world.run(subOrganizationId, 'DELETE_SUB_ORGANIZATION', {})).resolves.toBeDefined();
    await expect(world.run(parentId, 'DELETE_SUB_ORGANIZATION', { deleteWithoutExport: true })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });
});
