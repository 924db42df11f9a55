import { beforeEach, describe, expect, test } from 'vitest';
import type { User } from '../../../src/enclave/state.ts';
import { createWorld, newApiKey, now, type World } from '../../support/effect-context.ts';
import { newRegistration } from '../../support/registration.ts';

const absent = '00000000-0000-4000-8000-000000000000';

let world: World;
let id: string;
let rootId: string;
beforeEach(() => {
  world = createWorld();
  id = world.parent.id;
  rootId = world.parent.settings.rootQuorum.userIds[0] as string;
});

const user = (userId: string): User => world.organization(id).users.get(userId) as User;
const person = (more = {}) => ({
  userName: 'Ada',
  apiKeys: [],
  authenticators: [],
  oauthProviders: [],
  userTags: [],
  ...more,
});
const addUser = async (more = {}): Promise<string> =>
  (await world.run(id, 'CREATE_USERS_V4', { users: [person(more)] })).userIds[0];

describe('create_users', () => {
  test('stores users with their credentials, in order', async () => {
    const before = world.organization(id);
    const apiKey = newApiKey();
    const passkey = newRegistration();
    const { userIds } = await world.run(id, 'CREATE_USERS_V4', {
      users: [
        person({
          userEmail: 'ada@example.com',
          userPhoneNumber: '+491234',
          apiKeys: [apiKey],
          authenticators: [passkey],
        }),
        person({ userName: 'Bob', userEmail: '' }),
      ],
    });
    const [ada, bob] = userIds.map(user);
    expect(ada).toMatchObject({
      name: 'Ada',
      email: 'ada@example.com',
      phoneNumber: '+491234',
      createdAt: now,
      apiKeys: [{ name: 'key', publicKey: apiKey.publicKey, type: 'CREDENTIAL_TYPE_API_KEY_P256', createdAt: now }],
      authenticators: [{ name: 'passkey', credentialId: passkey.attestation.credentialId, rpId: 'localhost' }],
    });
    expect(ada.apiKeys[0]).not.toHaveProperty('expirationSeconds');
    expect(bob).toMatchObject({ name: 'Bob', apiKeys: [], authenticators: [] });
    expect(bob).not.toHaveProperty('email');
    expect(before.users.size).toBe(1);
  });

  test('API-only users get keys on P-256', async () => {
    const { curveType: _, ...apiKey } = newApiKey();
    const { userIds } = await world.run(id, 'CREATE_API_ONLY_USERS', {
      apiOnlyUsers: [{ userName: 'Robot', userTags: [], apiKeys: [apiKey] }],
    });
    expect(user(userIds[0]).apiKeys[0]?.curve).toBe('API_KEY_CURVE_P256');
  });

  test.each<[string, object, string, string]>([
    ['OIDC provider', { oauthProviders: [{ providerName: 'p', oidcToken: 't' }] }, 'UNIMPLEMENTED', 'oauthProviders'],
    ['tag', { userTags: [absent] }, 'NOT_FOUND', 'userTags.0'],
    [
      'a key off the curve',
      { apiKeys: [{ ...newApiKey(), publicKey: `02${'ff'.repeat(32)}` }] },
      'INVALID_ARGUMENT',
      'apiKeys.0.publicKey',
    ],
    [
      'a passkey for another site',
      { authenticators: [newRegistration({ origin: 'https://evil.example' })] },
      'INVALID_ARGUMENT',
      'authenticators.0.attestation.clientDataJson',
    ],
    [
      'eleven passkeys',
      { authenticators: Array.from({ length: 11 }, () => newRegistration()) },
      'RESOURCE_EXHAUSTED',
      'authenticators',
    ],
  ])('refuses %s', async (_, more, code, field) => {
    await expect(world.run(id, 'CREATE_USERS_V4', { users: [person(more)] })).rejects.toMatchObject({
      code,
      facts: { fields: [{ field: `parameters.users.0.${field}` }] },
    });
  });

  test('refuses an API key that somebody has, in the organization or in the same request', async () => {
    const apiKey = newApiKey();
    const twice = { users: [person({ apiKeys: [apiKey] }), person({ apiKeys: [apiKey] })] };
    await expect(world.run(id, 'CREATE_USERS_V4', twice)).rejects.toMatchObject({
      facts: { fields: [{ field: 'parameters.users.1.apiKeys.0.publicKey' }] },
    });
    await addUser({ apiKeys: [apiKey] });
    await expect(addUser({ apiKeys: [apiKey] })).rejects.toThrow('api key is already in use in this organization');
  });

  test('at most 100 users', async () => {
    await world.run(id, 'CREATE_USERS_V4', { users: Array(99).fill(person()) });
    await expect(addUser()).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED', message: /at most 100 users/ });
  });
});

describe('passkeys', () => {
  test('are added to a user', async () => {
    const passkeys = [newRegistration({ name: 'a' }), newRegistration({ name: 'b' })];
    const { authenticatorIds } = await world.run(id, 'CREATE_AUTHENTICATORS_V2', {
      userId: rootId,
      authenticators: passkeys,
    });
    expect(user(rootId).authenticators.map((passkey) => passkey.id)).toEqual(authenticatorIds);
    expect(user(rootId).authenticators.map((passkey) => passkey.name)).toEqual(['a', 'b']);
  });

  test('have one holder in an organization', async () => {
    const passkey = newRegistration();
    await addUser({ authenticators: [passkey] });
    await expect(addUser({ authenticators: [passkey] })).rejects.toThrow('authenticator is already in use');
    await expect(addUser({ authenticators: [newRegistration(), passkey] })).rejects.toThrow('already in use');
  });

  test('may be in two organizations of a parent; a stolen id with another key may not', async () => {
    const passkey = newRegistration();
    const create = (authenticator: object) =>
      world.run(id, 'CREATE_SUB_ORGANIZATION_V8', {
        subOrganizationName: 's',
        rootQuorumThreshold: 1,
        rootUsers: [{ userName: 'Ada', apiKeys: [], authenticators: [authenticator], oauthProviders: [] }],
      });
    await create(passkey);
    await expect(create(passkey)).resolves.toHaveProperty('subOrganizationId');
    const credentialId = Buffer.from(passkey.attestation.credentialId, 'base64url');
    await expect(create(newRegistration({ credentialId }))).rejects.toThrow('authenticator is already in use');
    await expect(addUser({ authenticators: [newRegistration({ credentialId })] })).rejects.toThrow('already in use');
  });

  test('are ten at most', async () => {
    const ten = Array.from({ length: 10 }, () => newRegistration());
    await world.run(id, 'CREATE_AUTHENTICATORS_V2', { userId: rootId, authenticators: ten });
    const more = { userId: rootId, authenticators: [newRegistration()] };
    await expect(world.run(id, 'CREATE_AUTHENTICATORS_V2', more)).rejects.toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
      message: 'user has exceeded maximum authenticators: expected at most 10 of these; delete some first',
    });
  });

  test('are deleted with their counters', async () => {
    const authenticators = [newRegistration(), newRegistration()];
    const { authenticatorIds } = await world.run(id, 'CREATE_AUTHENTICATORS_V2', { userId: rootId, authenticators });
    const [first, second] = authenticatorIds;
    world.set({ ...world.organization(id), counters: { signCounts: { [first]: 3, [second]: 4 } } });
    await world.run(id, 'DELETE_AUTHENTICATORS', { userId: rootId, authenticatorIds: [first] });
    expect(user(rootId).authenticators.map((passkey) => passkey.id)).toEqual([second]);
    expect(world.organization(id).counters.signCounts).toEqual({ [second]: 4 });
    await expect(
      world.run(id, 'DELETE_AUTHENTICATORS', { userId: rootId, authenticatorIds: [second, first] }),
    ).rejects.toMatchObject({ code: 'NOT_FOUND', facts: { fields: [{ field: 'parameters.authenticatorIds.1' }] } });
  });
});

describe('API keys', () => {
  const add = (apiKeys: object[]) => world.run(id, 'CREATE_API_KEYS_V2', { userId: rootId, apiKeys });
  const expiring = (seconds: number) => ({ ...newApiKey(), expirationSeconds: String(seconds) });

  test('ten that last', async () => {
    const { apiKeyIds } = await add(Array.from({ length: 9 }, () => newApiKey()));
    expect(apiKeyIds).toHaveLength(9);
    await expect(add([newApiKey()])).rejects.toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
      message: /^user has exceeded maximum long-lived api keys: expected at most 10/,
    });
    await expect(add([expiring(60)])).resolves.toBeDefined();
  });

  test('an eleventh that expires takes the place of an expired one, else of the oldest', async () => {
    const oldest = (await add([expiring(10_000)])).apiKeyIds[0];
    world.advance(1000);
    const shortest = (await add([expiring(60)])).apiKeyIds[0];
    world.advance(1000);
    await add(Array.from({ length: 8 }, () => expiring(10_000)));
    world.advance(60_000);
    const ids = () => user(rootId).apiKeys.map((key) => key.id);
    await add([expiring(10_000)]);
    expect(ids()).toContain(oldest);
    expect(ids()).not.toContain(shortest);
    const [newest] = (await add([expiring(10_000)])).apiKeyIds;
    expect(ids()).not.toContain(oldest);
    expect(ids()).toContain(newest);
    expect(ids()).toHaveLength(11);
    await expect(add(Array.from({ length: 11 }, () => expiring(60)))).rejects.toThrow(
      'user has exceeded maximum short-lived api keys',
    );
  });

  test('leave nothing of what was spent behind when they are deleted, but its sums', async () => {
    const windows = { 'spent/eip155:1': [[1, 1, '5']] } as const;
    const [apiKeyId] = (await add([newApiKey()])).apiKeyIds;
    world.set({ ...world.organization(id), counters: { signCounts: { [apiKeyId as string]: 1 }, windows } });
    await world.run(id, 'DELETE_API_KEYS', { userId: rootId, apiKeyIds: [apiKeyId] });
    expect(world.organization(id).counters).toEqual({ signCounts: {}, windows });
  });

  test('are deleted, but not the last credential that the root quorum needs', async () => {
    const [second] = (await add([newApiKey()])).apiKeyIds;
    const first = user(rootId).apiKeys[0]?.id as string;
    await world.run(id, 'DELETE_API_KEYS', { userId: rootId, apiKeyIds: [first] });
    await expect(world.run(id, 'DELETE_API_KEYS', { userId: rootId, apiKeyIds: [second] })).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
    });
    const other = await addUser({ apiKeys: [newApiKey()] });
    const apiKeyIds = user(other).apiKeys.map((key) => key.id);
    await expect(world.run(id, 'DELETE_API_KEYS', { userId: other, apiKeyIds })).resolves.toEqual({ apiKeyIds });
    await expect(world.run(id, 'DELETE_API_KEYS', { userId: other, apiKeyIds: [second] })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });
});

describe('update_user', () => {
  test('changes what is given, clears what is empty, keeps the rest', async () => {
    const userId = await addUser({ userEmail: 'ada@example.com', userPhoneNumber: '+491234' });
    world.advance(5);
    await world.run(id, 'UPDATE_USER', { userId, userName: 'Countess', userPhoneNumber: '' });
    expect(user(userId)).toMatchObject({
      name: 'Countess',
      email: 'ada@example.com',
      createdAt: now,
      updatedAt: now + 5,
    });
    expect(user(userId)).not.toHaveProperty('phoneNumber');
    await world.run(id, 'UPDATE_USER_NAME', { userId, userName: 'Ada' });
    await world.run(id, 'UPDATE_USER_EMAIL', { userId, userEmail: '' });
    await world.run(id, 'UPDATE_USER_PHONE_NUMBER', { userId, userPhoneNumber: '+441' });
    expect(user(userId)).toMatchObject({ name: 'Ada', phoneNumber: '+441' });
    expect(user(userId)).not.toHaveProperty('email');
  });

  test.each([
    ['UPDATE_USER', { userTagIds: [absent] }, 'NOT_FOUND'],
    ['UPDATE_USER_EMAIL', { userEmail: 'a@b.co', verificationToken: 't' }, 'UNIMPLEMENTED'],
    ['UPDATE_USER_PHONE_NUMBER', { userPhoneNumber: '+441', verificationToken: 't' }, 'UNIMPLEMENTED'],
  ])('%s refuses %o', async (type, more, code) => {
    await expect(world.run(id, type, { userId: rootId, ...more })).rejects.toMatchObject({ code });
  });

  test.each([
    ['UPDATE_USER', {}],
    ['UPDATE_USER_NAME', { userName: 'x' }],
    ['CREATE_API_KEYS_V2', { apiKeys: [newApiKey()] }],
    ['CREATE_AUTHENTICATORS_V2', { authenticators: [newRegistration()] }],
    ['DELETE_API_KEYS', { apiKeyIds: [absent] }],
  ])('%s of nobody', async (type, more) => {
    await expect(world.run(id, type, { userId: absent, ...more })).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: `could not find user ${absent} in organization`,
    });
  });
});

describe('root quorum', () => {
  const setQuorum = (threshold: number, userIds: string[]) =>
    world.run(id, 'UPDATE_ROOT_QUORUM', { threshold, userIds });

  test('is set', async () => {
    const second = await addUser({ apiKeys: [newApiKey()] });
    expect(await setQuorum(2, [rootId, second])).toEqual({});
    expect(world.organization(id).settings.rootQuorum).toEqual({ threshold: 2, userIds: [rootId, second] });
  });

  test('refuses what could not be reached', async () => {
    const bare = await addUser();
    await expect(setQuorum(2, [rootId])).rejects.toThrow('quorum users missing');
    await expect(setQuorum(1, [])).rejects.toThrow('quorum users missing');
    await expect(setQuorum(1, [rootId, rootId])).rejects.toThrow('expected each user once');
    await expect(setQuorum(1, [absent])).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(setQuorum(1, [bare])).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
  });

  test('loses deleted users, down to its threshold', async () => {
    const second = await addUser({ apiKeys: [newApiKey()] });
    await setQuorum(1, [rootId, second]);
    expect(await world.run(id, 'DELETE_USERS', { userIds: [rootId] })).toEqual({ userIds: [rootId] });
    expect(world.organization(id).settings.rootQuorum.userIds).toEqual([second]);
    await expect(world.run(id, 'DELETE_USERS', { userIds: [second] })).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
    });
    await expect(world.run(id, 'DELETE_USERS', { userIds: [absent] })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});
