import { beforeEach, describe, expect, test } from 'vitest';
import type { Organization } from '../../../src/enclave/state.ts';
import { createWorld, newApiKey, now, type World } from '../../support/effect-context.ts';

const absent = '00000000-0000-4000-8000-000000000000';

let world: World;
let id: string;
beforeEach(() => {
  world = createWorld();
  id = world.parent.id;
});

const person = (more = {}) => ({
  ...{ userName: 'Ada', apiKeys: [], authenticators: [], oauthProviders: [], userTags: [] },
  ...more,
});
const privateKey = (privateKeyName: string, more = {}) => ({
  ...{ privateKeyName, curve: 'CURVE_P256', addressFormats: [], privateKeyTags: [] },
  ...more,
});

/** The wire names of both types of tags, and how their holders are made and read. */
const kinds = [
  {
    kind: 'USER',
    type: 'TAG_TYPE_USER',
    what: 'user',
    wire: {
      name: 'userTagName',
      newName: 'newUserTagName',
      tagId: 'userTagId',
      tagIds: 'userTagIds',
      ids: 'userIds',
      add: 'addUserIds',
      remove: 'removeUserIds',
    },
    make: async (count: number): Promise<string[]> =>
      (await world.run(id, 'CREATE_USERS_V4', { users: Array(count).fill(person()) })).userIds,
    holders: ({ users }: Organization) => users,
  },
  {
    kind: 'PRIVATE_KEY',
    type: 'TAG_TYPE_PRIVATE_KEY',
    what: 'private key',
    wire: {
      name: 'privateKeyTagName',
      newName: 'newPrivateKeyTagName',
      tagId: 'privateKeyTagId',
      tagIds: 'privateKeyTagIds',
      ids: 'privateKeyIds',
      add: 'addPrivateKeyIds',
      remove: 'removePrivateKeyIds',
    },
    make: async (count: number): Promise<string[]> => {
      const privateKeys = Array.from({ length: count }, (_, index) => privateKey(`key ${index}`));
      const made = await world.run(id, 'CREATE_PRIVATE_KEYS_V2', { privateKeys });
      return made.privateKeys.map(({ privateKeyId }: { privateKeyId: string }) => privateKeyId);
    },
    holders: ({ privateKeys }: Organization) => privateKeys,
  },
];

describe.each(kinds)('tags of a $what', ({ kind, type, what, wire, make, holders }) => {
  const create = async (name: string, ids: string[] = [], organizationId = id): Promise<string> =>
    (await world.run(organizationId, `CREATE_${kind}_TAG`, { [wire.name]: name, [wire.ids]: ids }))[wire.tagId];
  const update = (tagId: string, change: object) =>
    world.run(id, `UPDATE_${kind}_TAG`, { [wire.tagId]: tagId, [wire.add]: [], [wire.remove]: [], ...change });
  const remove = (tagIds: string[]) => world.run(id, `DELETE_${kind}_TAGS`, { [wire.tagIds]: tagIds });
  const holder = (holderId: string) => holders(world.organization(id)).get(holderId);
  const tag = (tagId: string) => world.organization(id).tags.get(tagId);

  test('are given to those that are named', async () => {
    const [first, second, third] = (await make(3)) as [string, string, string];
    world.advance(3);
    const ids = [third, first];
    const result = await world.run(id, `CREATE_${kind}_TAG`, { [wire.name]: 'Treasury', [wire.ids]: ids });
    const tagId = result[wire.tagId];
    expect(result).toEqual({ [wire.tagId]: tagId, [wire.ids]: ids });
    expect(tag(tagId)).toEqual({ id: tagId, name: 'Treasury', type, createdAt: now + 3, updatedAt: now + 3 });
    for (const one of ids) expect(holder(one)).toMatchObject({ tagIds: [tagId], createdAt: now, updatedAt: now + 3 });
    expect(holder(second)).toMatchObject({ tagIds: [], updatedAt: now });
    const other = await create('Ops', [first]);
    expect(holder(first)?.tagIds).toEqual([tagId, other]);
  });

  test('get another name, other holders, or both', async () => {
    const [first, second] = (await make(2)) as [string, string];
    const tagId = await create('a', [first]);
    await create('b');
    world.advance(5);
    expect(await update(tagId, { [wire.newName]: 'c' })).toEqual({ [wire.tagId]: tagId });
    expect(tag(tagId)).toMatchObject({ name: 'c', createdAt: now, updatedAt: now + 5 });
    expect(holder(first)).toMatchObject({ tagIds: [tagId], updatedAt: now });
    await update(tagId, { [wire.add]: [second], [wire.remove]: [first] });
    expect([holder(first)?.tagIds, holder(second)?.tagIds]).toEqual([[], [tagId]]);
    expect(tag(tagId)?.name).toBe('c');
    await expect(update(tagId, { [wire.newName]: 'b' })).rejects.toMatchObject({
      message: `${what} tag label must be unique`,
      facts: { fields: [{ field: `parameters.${wire.newName}` }] },
    });
    await expect(update(tagId, { [wire.newName]: 'c' })).resolves.toBeDefined();
  });

  test('an entity that has the tag, or has it not, stays as it is when that is asked for', async () => {
    const [first, second] = (await make(2)) as [string, string];
    const [tagId, other] = [await create('a', [first]), await create('b', [first])];
    const before = [holder(first), holder(second)];
    world.advance(1);
    await update(tagId, { [wire.add]: [first], [wire.remove]: [second] });
    expect(holder(first)).toBe(before[0]);
    expect(holder(second)).toBe(before[1]);
    expect(holder(first)?.tagIds).toEqual([tagId, other]);
  });

  test('are deleted, all or none, and leave their holders', async () => {
    const [first, second, third] = (await make(3)) as [string, string, string];
    const [a, b, c] = [
      await create('a', [first, second]),
      await create('b', [first]),
      await create('c', [first, third]),
    ];
    await expect(remove([a, absent])).rejects.toMatchObject({
      code: 'NOT_FOUND',
      facts: { fields: [{ field: `parameters.${wire.tagIds}.1` }] },
    });
    world.advance(2);
    expect(await remove([b, a])).toEqual({ [wire.tagIds]: [b, a], [wire.ids]: [first, second] });
    expect([...world.organization(id).tags.keys()]).toEqual([c]);
    expect([first, second, third].map((one) => holder(one)?.tagIds)).toEqual([[c], [], [c]]);
    expect([first, third].map((one) => holder(one)?.updatedAt)).toEqual([now + 2, now]);
  });

  test.each<[string, string, object, string]>([
    ['a holder that is not there', 'CREATE', { [wire.name]: 'x', [wire.ids]: [absent] }, `${wire.ids}.0`],
    ['a tag that is not there', 'UPDATE', { [wire.tagId]: absent }, wire.tagId],
  ])('refuses %s', async (_, verb, parameters, field) => {
    await expect(world.run(id, `${verb}_${kind}_TAG`, parameters)).rejects.toMatchObject({
      code: 'NOT_FOUND',
      facts: { fields: [{ field: `parameters.${field}` }] },
    });
  });

  test('refuses a name that is taken, an id twice, and one that is both added and removed', async () => {
    const [first] = (await make(1)) as [string];
    const tagId = await create('a');
    await expect(create('a')).rejects.toThrow(`${what} tag label must be unique`);
    await expect(create('b', [first, first])).rejects.toThrow('expected each id once');
    await expect(update(tagId, { [wire.add]: [first], [wire.remove]: [first] })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      facts: { fields: [{ field: `parameters.${wire.remove}.0` }] },
    });
    expect(holder(first)?.tagIds).toEqual([]);
  });

  test('a tag of the other type is none of this', async () => {
    const tagId = await create('a');
    const other = kind === 'USER' ? 'PRIVATE_KEY' : 'USER';
    const wireOf = kinds.find((each) => each.kind === other)?.wire as typeof wire;
    const refused = { code: 'NOT_FOUND' };
    await expect(world.run(id, `UPDATE_${other}_TAG`, { [wireOf.tagId]: tagId })).rejects.toMatchObject(refused);
    await expect(world.run(id, `DELETE_${other}_TAGS`, { [wireOf.tagIds]: [tagId] })).rejects.toMatchObject(refused);
    await expect(world.run(id, `CREATE_${other}_TAG`, { [wireOf.name]: 'a' })).resolves.toBeDefined();
  });
});

describe('how many', () => {
  const userTag = (organizationId: string, index: number) =>
    world.run(organizationId, 'CREATE_USER_TAG', { userTagName: `u${index}`, userIds: [] });
  const keyTag = (organizationId: string, index: number) =>
    world.run(organizationId, 'CREATE_PRIVATE_KEY_TAG', { privateKeyTagName: `k${index}`, privateKeyIds: [] });
  const refused = { code: 'RESOURCE_EXHAUSTED', facts: { reason: 'QUOTA_EXCEEDED' } };

  test.each([
    ['a parent', null, 100],
    ['a sub-organization', absent, 10],
  ])('tags of both types in %s', async (_, parentId, most) => {
    world.set({ ...world.parent, parentId });
    for (let index = 0; index < most; index += 2) {
      await userTag(id, index);
      await keyTag(id, index);
    }
    await expect(userTag(id, most)).rejects.toMatchObject(refused);
    await expect(keyTag(id, most)).rejects.toMatchObject(refused);
  });
});

describe('tags of what is made or changed', () => {
  const newTag = async (name: string): Promise<string> =>
    (await world.run(id, 'CREATE_USER_TAG', { userTagName: name })).userTagId;

  test('new users get them, by every version', async () => {
    const tags = [await newTag('a'), await newTag('b')];
    const { userIds } = await world.run(id, 'CREATE_USERS_V4', { users: [person({ userTags: tags }), person()] });
    const robots = { apiOnlyUsers: [{ userName: 'Robot', apiKeys: [], userTags: [tags[1]] }] };
    const made = await world.run(id, 'CREATE_API_ONLY_USERS', robots);
    const tagsOf = (userId: string) => world.organization(id).users.get(userId)?.tagIds;
    expect([...userIds, ...made.userIds].map(tagsOf)).toEqual([tags, [], [tags[1]]]);
    await expect(
      world.run(id, 'CREATE_USERS_V4', { users: [person({ userTags: [tags[0], absent] })] }),
    ).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: `could not find user tag ${absent} in organization`,
      facts: { fields: [{ field: 'parameters.users.0.userTags.1' }] },
    });
  });

  test('update_user puts tags in the place of all others, and leaves them where it names none', async () => {
    const [a, b] = [await newTag('a'), await newTag('b')];
    const { userIds } = await world.run(id, 'CREATE_USERS_V4', { users: [person({ userTags: [a] })] });
    const [userId] = userIds;
    const tagIds = () => world.organization(id).users.get(userId)?.tagIds;
    await world.run(id, 'UPDATE_USER', { userId, userName: 'Eve', userTagIds: [] });
    expect(tagIds()).toEqual([a]);
    await world.run(id, 'UPDATE_USER_NAME', { userId, userName: 'Eva' });
    expect(tagIds()).toEqual([a]);
    await world.run(id, 'UPDATE_USER', { userId, userTagIds: [b] });
    expect(tagIds()).toEqual([b]);
    await expect(world.run(id, 'UPDATE_USER', { userId, userTagIds: [absent] })).rejects.toMatchObject({
      code: 'NOT_FOUND',
      facts: { fields: [{ field: 'parameters.userTagIds.0' }] },
    });
  });

  test('new private keys get them, and only those of their own organization and type', async () => {
    const { privateKeyTagId } = await world.run(id, 'CREATE_PRIVATE_KEY_TAG', { privateKeyTagName: 'cold' });
    const made = await world.run(id, 'CREATE_PRIVATE_KEYS', {
      privateKeys: [privateKey('a', { privateKeyTags: [privateKeyTagId] })],
    });
    expect(world.organization(id).privateKeys.get(made.privateKeyIds[0])?.tagIds).toEqual([privateKeyTagId]);
    const ofUser = await newTag('a');
    await expect(
      world.run(id, 'CREATE_PRIVATE_KEYS_V2', { privateKeys: [privateKey('b', { privateKeyTags: [ofUser] })] }),
    ).rejects.toMatchObject({ facts: { fields: [{ field: 'parameters.privateKeys.0.privateKeyTags.0' }] } });
    await expect(
      world.run(id, 'CREATE_SUB_ORGANIZATION_V3', {
        subOrganizationName: 'sub',
        rootQuorumThreshold: 1,
        rootUsers: [
          { userName: 'Root', apiKeys: [{ apiKeyName: 'key', publicKey: newApiKey().publicKey }], authenticators: [] },
        ],
        privateKeys: [privateKey('c', { privateKeyTags: [privateKeyTagId] })],
      }),
    ).rejects.toMatchObject({
      code: 'NOT_FOUND',
      facts: { fields: [{ field: 'parameters.privateKeys.0.privateKeyTags.0' }] },
    });
  });
});
