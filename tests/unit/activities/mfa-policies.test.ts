import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import type { ApiKey, User } from '../../../src/enclave/state.ts';
import { createWorld, newApiKey, now, type World } from '../../support/effect-context.ts';

let world: World;
let id: string;
let user: User;
beforeEach(() => {
  world = createWorld();
  id = world.parent.id;
  [user] = [...world.parent.users.values()] as [User];
});

const step = (...types: string[]) => ({ any: types.map((type) => ({ type: `AUTHENTICATION_TYPE_${type}` })) });
const given = (more: object = {}) => ({
  userId: user.id,
  mfaPolicyName: 'signing',
  condition: "activity.action == 'SIGN'",
  requiredAuthenticationMethods: [step('API_KEY')],
  order: 1,
  ...more,
});
const create = async (more: object = {}): Promise<string> =>
  (await world.run(id, 'CREATE_MFA_POLICY', given(more))).mfaPolicyId;
const held = () => world.organization(id).users.get(user.id)?.mfaPolicies ?? [];
const violation = (field: string, message: string) => ({
  message: expect.stringContaining(message),
  facts: { fields: [{ field: `parameters.${field}` }] },
});

describe('MFA policies', () => {
  test('are kept in their order', async () => {
    const second = await create({ order: '7', notes: 'n' });
    const first = await create({ order: 0 });
    expect(held().map((policy) => policy.id)).toEqual([first, second]);
    expect(held()[1]).toEqual({
      id: second,
      name: 'signing',
      condition: "activity.action == 'SIGN'",
      steps: [[{ type: 'AUTHENTICATION_TYPE_API_KEY' }]],
      order: 7,
      notes: 'n',
      createdAt: now,
      updatedAt: now,
    });
  });

  test('change where something is given', async () => {
    const mfaPolicyId = await create();
    await create({ order: 2 });
    world.advance(1000);
    await world.run(id, 'UPDATE_MFA_POLICY', { userId: user.id, mfaPolicyId, order: 3, condition: 'true' });
    expect(held().map(({ order, condition }) => [order, condition])).toEqual([
      [2, "activity.action == 'SIGN'"],
      [3, 'true'],
    ]);
    expect(held()[1]).toMatchObject({ name: 'signing', createdAt: now, updatedAt: now + 1000 });
    await expect(world.run(id, 'UPDATE_MFA_POLICY', { userId: user.id, mfaPolicyId, order: 2 })).rejects.toMatchObject(
      violation('order', 'mfa policy order must be unique'),
    );
  });

  test('go away', async () => {
    const mfaPolicyId = await create();
    expect(await world.run(id, 'DELETE_MFA_POLICY', { userId: user.id, mfaPolicyId })).toEqual({ mfaPolicyId });
    expect(held()).toEqual([]);
    await expect(world.run(id, 'DELETE_MFA_POLICY', { userId: user.id, mfaPolicyId })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  test.each([
    ['a place that is taken', { order: 1 }, 'order', 'mfa policy order must be unique'],
    [
      'no condition',
      { order: 2, condition: 'activity.what == 1' },
      'condition',
      'invalid mfa policy condition: 1:10: ',
    ],
    ['who is asked, not what', { order: 2, condition: 'approvers.count() > 1' }, 'condition', 'approvers'],
    [
      'what the user does not have',
      { order: 2, requiredAuthenticationMethods: [step('API_KEY'), step('PASSKEY')] },
      'requiredAuthenticationMethods.1',
      'cannot satisfy mfa policy requirement: mfa policy \'signing\' requires one of ["PASSKEY"]',
    ],
    [
      'one credential for two steps',
      { order: 2, requiredAuthenticationMethods: [step('API_KEY'), step('API_KEY', 'PASSKEY')] },
      'requiredAuthenticationMethods.1',
      'each step needs one of its own',
    ],
    [
      'another credential than those that the user has',
      {
        order: 2,
        requiredAuthenticationMethods: [{ any: [{ type: 'AUTHENTICATION_TYPE_API_KEY', id: randomUUID() }] }],
      },
      'requiredAuthenticationMethods.0',
      'cannot satisfy',
    ],
    [
      'what nobody can show yet',
      { order: 2, requiredAuthenticationMethods: [step('API_KEY'), step('SESSION', 'EMAIL_OTP')] },
      'requiredAuthenticationMethods.1',
      'is not supported yet',
    ],
    ['no step', { order: 2, requiredAuthenticationMethods: [] }, 'requiredAuthenticationMethods', 'bad request'],
    [
      'no method',
      { order: 2, requiredAuthenticationMethods: [{ any: [] }] },
      'requiredAuthenticationMethods.0.any',
      '',
    ],
    ['no text', { order: 2, condition: '' }, 'condition', 'bad request'],
    ['an order below 0', { order: -1 }, 'order', 'bad request'],
  ])('refuse %s', async (_, more, field, message) => {
    await create();
    await expect(create(more)).rejects.toMatchObject(violation(field, message));
    expect(held()).toHaveLength(1);
  });

  test('refuse a credential that does not last', async () => {
    const keys = [{ ...newApiKey('short'), expirationSeconds: '60' }];
    const { apiKeyIds } = await world.run(id, 'CREATE_API_KEYS_V2', { userId: user.id, apiKeys: keys });
    const pinned = [{ any: [{ type: 'AUTHENTICATION_TYPE_API_KEY', id: apiKeyIds[0] }] }];
    await expect(create({ requiredAuthenticationMethods: pinned })).rejects.toMatchObject(
      violation('requiredAuthenticationMethods.0', 'cannot satisfy'),
    );
  });

  test('are ten of a user at most', async () => {
    for (let order = 0; order < 10; order++) await create({ order });
    await expect(create({ order: 10 })).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
    await world.run(id, 'UPDATE_MFA_POLICY', { userId: user.id, mfaPolicyId: held()[0]?.id, order: 10 });
  });
});

describe('session profiles', () => {
  const profile = async (more: object = {}, of = id): Promise<string> =>
    (
      await world.run(of, 'CREATE_SESSION_PROFILE', {
        sessionProfileName: 'signing',
        scope: "activity.action == 'SIGN'",
        ...more,
      })
    ).sessionProfileId;
  const keyWith = async (sessionProfileId: string, more: object = {}, of = id, by = user.id): Promise<ApiKey> => {
    const apiKeys = [{ ...newApiKey('plain') }, { ...newApiKey('bound'), sessionProfileId, ...more }];
    const { apiKeyIds } = await world.run(of, 'CREATE_API_KEYS_V2', { userId: by, apiKeys });
    const held = world.organization(of).users.get(by)?.apiKeys ?? [];
    expect(held.find((key) => key.id === apiKeyIds[0])).not.toHaveProperty('sessionProfileId');
    return held.find((key) => key.id === apiKeyIds[1]) as ApiKey;
  };

  test('bind a key, which lasts no longer than they allow', async () => {
    const [lasting, short] = [await profile(), await profile({ expirationSeconds: '600', notes: 'n' })];
    expect(world.organization(id).sessionProfiles.get(short)).toEqual({
      id: short,
      name: 'signing',
      scope: "activity.action == 'SIGN'",
      expirationSeconds: 600,
      notes: 'n',
      createdAt: now,
      updatedAt: now,
    });
    expect(await keyWith(lasting)).toMatchObject({
      sessionProfileId: lasting,
      type: 'CREDENTIAL_TYPE_API_KEY_P256',
    });
    expect(await keyWith(lasting)).not.toHaveProperty('expirationSeconds');
    expect(await keyWith(lasting, { expirationSeconds: '9' })).toHaveProperty('expirationSeconds', 9);
    expect(await keyWith(short)).toHaveProperty('expirationSeconds', 600);
    expect(await keyWith(short, { expirationSeconds: '601' })).toHaveProperty('expirationSeconds', 600);
    expect(await keyWith(short, { expirationSeconds: '1' })).toHaveProperty('expirationSeconds', 1);
  });

  test('of a parent bind keys of its sub-organizations, which keep a copy', async () => {
    const sessionProfileId = await profile();
    const { subOrganizationId, rootUserIds } = await world.run(id, 'CREATE_SUB_ORGANIZATION_V7', {
      subOrganizationName: 's',
      rootQuorumThreshold: 1,
      rootUsers: [{ userName: 'u', apiKeys: [newApiKey()], authenticators: [], oauthProviders: [] }],
    });
    const [by] = rootUserIds as [string];
    expect(await keyWith(sessionProfileId, {}, subOrganizationId, by)).toMatchObject({ sessionProfileId });
    const kept = world.organization(subOrganizationId).sessionProfiles.get(sessionProfileId);
    expect(kept).toEqual(world.organization(id).sessionProfiles.get(sessionProfileId));
    // Not the other way round.
    const theirs = await profile({}, subOrganizationId);
    await expect(keyWith(theirs)).rejects.toMatchObject({
      code: 'NOT_FOUND',
      facts: { fields: [{ field: 'parameters.apiKeys.1.sessionProfileId' }] },
    });
  });

  test.each([
    ['no expression', { scope: '' }, 'scope', 'bad request'],
    ['one that is none', { scope: 'activity.action = 1' }, 'scope', 'invalid session profile scope: 1:'],
    ['one about approvers', { scope: 'approvers.count() > 1' }, 'scope', 'approvers'],
    ['a name that is none', { sessionProfileName: '' }, 'sessionProfileName', 'bad request'],
  ])('refuse %s', async (_, more, field, message) => {
    await expect(profile(more)).rejects.toMatchObject(violation(field, message));
  });

  test('are a hundred at most', async () => {
    for (let count = 0; count < 100; count++) await profile();
    await expect(profile()).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
  });
});
