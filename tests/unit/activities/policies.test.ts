import { beforeEach, describe, expect, test } from 'vitest';
import { createWorld, now, type World } from '../../support/effect-context.ts';

const absent = '00000000-0000-4000-8000-000000000000';

let world: World;
let id: string;
beforeEach(() => {
  world = createWorld();
  id = world.parent.id;
});

const at = "time.now > Timestamp('2026-03-01T00:00:00Z')";
const policy = (more = {}) => ({ policyName: 'p', effect: 'EFFECT_ALLOW', notes: 'n', ...more });
const create = async (more = {}): Promise<string> => (await world.run(id, 'CREATE_POLICY_V3', policy(more))).policyId;
const stored = (policyId: string) => world.organization(id).policies.get(policyId);

describe('policies', () => {
  test('are stored as written', async () => {
    const policyId = await create({
      condition: " ( activity.kind=='SIGN_TRANSACTION' ) ",
      consensus: "approvers.any(user, user.id == 'x')",
      time: at,
    });
    expect(stored(policyId)).toEqual({
      id: policyId,
      name: 'p',
      effect: 'EFFECT_ALLOW',
      condition: " ( activity.kind=='SIGN_TRANSACTION' ) ",
      consensus: "approvers.any(user, user.id == 'x')",
      time: at,
      notes: 'n',
      createdAt: now,
      updatedAt: now,
    });
  });

  test('what is left out is empty, and there is no time', async () => {
    const policyId = await create({ notes: null });
    expect(stored(policyId)).toMatchObject({ condition: '', consensus: '', notes: '' });
    expect(stored(policyId)).not.toHaveProperty('time');
  });

  test('several, all or none', async () => {
    const names = (...policyNames: string[]) => ({ policies: policyNames.map((policyName) => policy({ policyName })) });
    await expect(world.run(id, 'CREATE_POLICIES', names('a', 'b', 'a'))).rejects.toMatchObject({
      message: 'policy label must be unique',
      facts: { fields: [{ field: 'parameters.policies.2.policyName' }] },
    });
    const { policyIds } = await world.run(id, 'CREATE_POLICIES', names('a', 'b'));
    expect(policyIds.map((policyId: string) => stored(policyId)?.name)).toEqual(['a', 'b']);
    await expect(world.run(id, 'DELETE_POLICIES', { policyIds: [policyIds[0], absent] })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    expect(await world.run(id, 'DELETE_POLICIES', { policyIds })).toEqual({ policyIds });
    expect(world.organization(id).policies.size).toBe(0);
  });

  test('of the time before expressions are refused', async () => {
    const selectors = [{ subject: 'activity.type', operator: 'OPERATOR_EQUAL', target: 'x' }];
    await expect(
      world.run(id, 'CREATE_POLICY', { policyName: 'p', effect: 'EFFECT_DENY', selectors }),
    ).rejects.toMatchObject({ code: 'UNIMPLEMENTED', facts: { fields: [{ field: 'parameters.selectors' }] } });
  });

  test('at most 100', async () => {
    const policies = Array.from({ length: 100 }, (_, index) => policy({ policyName: `p${index}` }));
    await world.run(id, 'CREATE_POLICIES', { policies });
    await expect(create({ policyName: 'one more' })).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
  });

  test('an update changes what is given', async () => {
    const policyId = await create({ condition: 'true', time: at });
    await create({ policyName: 'other' });
    world.advance(4);
    await world.run(id, 'UPDATE_POLICY', { policyId, policyName: 'q', policyEffect: 'EFFECT_DENY' });
    const expected = {
      name: 'q',
      effect: 'EFFECT_DENY',
      condition: 'true',
      time: at,
      createdAt: now,
      updatedAt: now + 4,
    };
    expect(stored(policyId)).toMatchObject(expected);
    await world.run(id, 'UPDATE_POLICY_V2', { policyId, policyCondition: '', policyConsensus: 'false', time: '' });
    expect(stored(policyId)).toMatchObject({ name: 'q', condition: '', consensus: 'false', notes: 'n' });
    expect(stored(policyId)).not.toHaveProperty('time');
    await expect(world.run(id, 'UPDATE_POLICY_V2', { policyId, policyName: 'other' })).rejects.toThrow(
      'policy label must be unique',
    );
    await expect(world.run(id, 'UPDATE_POLICY_V2', { policyId: absent })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('are deleted', async () => {
    const policyId = await create();
    expect(await world.run(id, 'DELETE_POLICY', { policyId })).toEqual({ policyId });
    await expect(world.run(id, 'DELETE_POLICY', { policyId })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});
