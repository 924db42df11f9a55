import { expect, expectTypeOf, test } from 'vitest';
import type { Client } from '../../../sdk/src/client.ts';
import * as sdk from '../../../sdk/src/index.ts';
import { methods } from '../../../sdk/src/methods.ts';
import { activities, queries } from '../../../src/protocol/registry.ts';

test('the package exports what its table of contents says', () => {
  expect(Object.keys(sdk).sort()).toMatchInlineSnapshot(`
    [
      "CountersignClientError",
      "apiKeyStamper",
      "createClient",
      "createPasskey",
      "passkeyStamper",
    ]
  `);
});

test('each activity and each query has a method', () => {
  const paths = Object.values(methods).map(({ path }) => path);
  expect(new Set(paths)).toEqual(
    new Set([...activities.map(({ name }) => `submit/${name}`), ...queries.map(({ name }) => `query/${name}`)]),
  );
  expect(paths).toHaveLength(activities.length + queries.length);
});

test('the newest version, which is the last, has the highest number: the types go by that', () => {
  const number = (type: string) => Number(/_V([2-9])$/.exec(type)?.[1] ?? 1);
  for (const { versions } of activities) {
    const numbers = Object.keys(versions).map(number);
    expect(numbers.at(-1)).toBe(Math.max(...numbers));
    expect(new Set(numbers).size).toBe(numbers.length);
  }
});

test('names', () => {
  expect(methods.createSubOrganization).toEqual({
    path: 'submit/create_sub_organization',
    type: 'ACTIVITY_TYPE_CREATE_SUB_ORGANIZATION_V8',
  });
  expect(methods.getWhoami).toEqual({ path: 'query/whoami' });
  expect(methods.getUser).toEqual({ path: 'query/get_user' });
  expect(methods.getUsers).toEqual({ path: 'query/list_users' });
  expect(methods.getPolicyEvaluations).toEqual({ path: 'query/get_policy_evaluations' });
  expect(methods.dryRun).toEqual({ path: 'query/dry_run' });
  expect(methods.checkPolicy).toEqual({ path: 'query/check_policy' });
});

test('types', () => {
  expectTypeOf<Parameters<Client['createWallet']>[0]['walletName']>().toEqualTypeOf<string>();
  expectTypeOf<Awaited<ReturnType<Client['createWallet']>>>().toHaveProperty('walletId').toEqualTypeOf<string>();
  expectTypeOf<Awaited<ReturnType<Client['createWallet']>>>().toHaveProperty('activity');
  expectTypeOf<Client['getWhoami']>().toBeCallableWith();
  expectTypeOf<Client['getWhoami']>().toBeCallableWith({ organizationId: 'x' });
  expectTypeOf<Awaited<ReturnType<Client['getWhoami']>>>().toHaveProperty('userId').toEqualTypeOf<string>();
  expectTypeOf<Client['getUser']>().parameter(0).toHaveProperty('userId').toEqualTypeOf<string>();
  expectTypeOf<Client['dryRun']>().parameter(0).toHaveProperty('activity');
  expectTypeOf<Awaited<ReturnType<Client['explainActivity']>>>().toHaveProperty('policiesChanged');
  // The newest version alone: signWith, not the privateKeyId of the first one.
  expectTypeOf<Client['signRawPayload']>().parameter(0).toHaveProperty('signWith').toEqualTypeOf<string>();
  expectTypeOf<Client['signRawPayload']>().parameter(0).not.toHaveProperty('privateKeyId');
});
