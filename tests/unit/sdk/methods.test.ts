import { readFileSync } from 'node:fs';
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
      "checkLogin",
      "createClient",
      "createPasskey",
      "createSessionKey",
      "deleteSessionKey",
      "findSessionKey",
      "forward",
      "openKeyStore",
      "passkeyStamper",
      "sessionStamper",
      "stampLogin",
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
  expect(methods.explainRequest).toEqual({ path: 'query/explain_request' });
  expect(methods.replayPolicies).toEqual({ path: 'query/replay_policies' });
  expect(methods.checkPolicy).toEqual({ path: 'query/check_policy' });
});

test('queries that Turnkey has are called as its own client calls them', () => {
  const file = 'dist/__generated__/services/coordinator/public/v1/public_api.client.js';
  const source = readFileSync(new URL(`../../../node_modules/@turnkey/http/${file}`, import.meta.url), 'utf8');
  const official = new Map(
    [
      ...source.matchAll(/this\.(\w+) = async \(input\) => \{\s+return this\.request\("\/public\/v1\/(query\/\w+)"/g),
    ].map(([, name, path]) => [path, name]),
  );
  const queried = Object.entries(methods).filter(([, { path }]) => path.startsWith('query/') && official.has(path));
  expect(queried.length).toBeGreaterThan(25);
  for (const [name, { path }] of queried) expect(name).toBe(official.get(path));
});

test('types', () => {
  expectTypeOf<Client['getSubOrgIds']>().toBeCallableWith();
  expectTypeOf<Awaited<ReturnType<Client['listUserTags']>>>().toHaveProperty('userTags');
  expectTypeOf<Parameters<Client['createWallet']>[0]['walletName']>().toEqualTypeOf<string>();
  expectTypeOf<Awaited<ReturnType<Client['createWallet']>>>().toHaveProperty('walletId').toEqualTypeOf<string>();
  expectTypeOf<Awaited<ReturnType<Client['createWallet']>>>().toHaveProperty('activity');
  expectTypeOf<Client['getWhoami']>().toBeCallableWith();
  expectTypeOf<Client['getWhoami']>().toBeCallableWith({ organizationId: 'x' });
  expectTypeOf<Awaited<ReturnType<Client['getWhoami']>>>().toHaveProperty('userId').toEqualTypeOf<string>();
  expectTypeOf<Client['getUser']>().parameter(0).toHaveProperty('userId').toEqualTypeOf<string>();
  expectTypeOf<Client['dryRun']>().parameter(0).toHaveProperty('activity');
  expectTypeOf<Awaited<ReturnType<Client['explainActivity']>>>().toHaveProperty('policiesChanged');
  expectTypeOf<Client['replayPolicies']>().parameter(0).toHaveProperty('activityIds').toEqualTypeOf<string[]>();
  type Replayed = Awaited<ReturnType<Client['replayPolicies']>>;
  // What an answer says of the past is what the next question takes.
  expectTypeOf<Replayed['past']>().toExtend<Parameters<Client['replayPolicies']>[0]['past']>();
  // The newest version alone: signWith, not the privateKeyId of the first one.
  expectTypeOf<Client['signRawPayload']>().parameter(0).toHaveProperty('signWith').toEqualTypeOf<string>();
  expectTypeOf<Client['signRawPayload']>().parameter(0).not.toHaveProperty('privateKeyId');
});
