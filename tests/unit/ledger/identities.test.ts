import { randomBytes, randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import {
  filterDigest,
  findIdentity,
  hintChanges,
  hintDigest,
  identityDigest,
  lookupChanges,
  scopeOf,
} from '../../../src/enclave/ledger/identities.ts';
import { createMerkleMap, type MerkleMap } from '../../../src/enclave/ledger/merkle-map.ts';
import { deriveKey } from '../../../src/enclave/sealing/seal.ts';
import { type Authenticator, type Organization, put, type WalletAccount } from '../../../src/enclave/state.ts';
import { apiKey, organization, rename, startTime, user } from '../../support/test-ledger.ts';

const rootKey = randomBytes(32);
const key = deriveKey(rootKey, 'identity');
const hintKey = deriveKey(rootKey, 'hint');
const times = { createdAt: startTime, updatedAt: startTime };

const passkey = (credentialId = randomBytes(16).toString('base64url')): Authenticator => ({
  id: randomUUID(),
  name: 'passkey',
  credentialId,
  publicKey: randomBytes(77),
  rpId: 'localhost',
  aaguid: Buffer.alloc(16),
  transports: [],
  backupEligible: false,
  ...times,
});

function apply(map: MerkleMap, before: Organization | null, after: Organization): number {
  const changes = lookupChanges(before, after, key);
  for (const change of changes) map.set(change.key, change.value);
  return changes.length;
}

test('credentials are found under their parent, in every organization that holds them, until they go', () => {
  const map = createMerkleMap();
  const parent = organization('parent', null, [user('root', [])]);
  const shared = apiKey();
  const own = passkey();
  const one = { ...user('one', [shared]), authenticators: [own] };
  const first = organization('first', parent.id, [one]);
  const second = organization('second', parent.id, [user('two', [shared])]);
  const elsewhere = organization('elsewhere', randomUUID(), [user('three', [shared])]);
  for (const each of [parent, first, second, elsewhere]) apply(map, null, each);
  const find = (scope: string, kind: 'credentialId' | 'publicKey', value: string) =>
    findIdentity(map, key, scope, { kind, value });

  expect(
    find(parent.id, 'publicKey', shared.publicKey)
      .map(({ organizationId }) => organizationId)
      .sort(),
  ).toEqual([first.id, second.id].sort());
  expect(find(parent.id, 'credentialId', own.credentialId)).toMatchObject([
    { organizationId: first.id, userId: one.id },
  ]);
  expect(find(parent.id, 'publicKey', own.credentialId)).toEqual([]);
  expect(find(parent.id, 'credentialId', shared.publicKey)).toEqual([]);
  expect(find(scopeOf(elsewhere), 'publicKey', shared.publicKey)).toMatchObject([{ organizationId: elsewhere.id }]);
  expect(find(first.id, 'publicKey', shared.publicKey)).toEqual([]);

  const without = { ...first, users: put(first.users, { ...one, apiKeys: [] }) };
  expect(apply(map, first, without)).toBe(1);
  expect(find(parent.id, 'publicKey', shared.publicKey)).toMatchObject([{ organizationId: second.id }]);
  expect(find(parent.id, 'credentialId', own.credentialId)).toHaveLength(1);
  apply(map, without, { ...without, users: new Map(), deleted: true });
  expect(find(parent.id, 'credentialId', own.credentialId)).toEqual([]);
});

test('only what changes is changed', () => {
  const one = user('one', [apiKey(), apiKey()]);
  const before = organization('o', null, [one, user('two')]);
  expect(lookupChanges(before, rename(before, 'p'), key)).toEqual([]);
  expect(lookupChanges(before, { ...before, users: put(before.users, { ...one, name: 'renamed' }) }, key)).toEqual([]);
  const replaced = { ...one, apiKeys: [one.apiKeys[0] as ReturnType<typeof apiKey>, apiKey()] };
  const changes = lookupChanges(before, { ...before, users: put(before.users, replaced) }, key);
  expect(changes.map(({ value }) => value === null).sort()).toEqual([false, true]);
});

test('a credential that passes from one user to another points to the other', () => {
  const map = createMerkleMap();
  const shared = apiKey();
  const [one, two] = [user('one', [shared]), user('two', [])];
  const before = organization('o', null, [one, two]);
  apply(map, null, before);
  const after = { ...before, users: put(before.users, { ...one, apiKeys: [] }, { ...two, apiKeys: [shared] }) };
  expect(apply(map, before, after)).toBe(1);
  const found = findIdentity(map, key, before.id, { kind: 'publicKey', value: shared.publicKey });
  expect(found).toMatchObject([{ userId: two.id }]);
});

test('digests differ by key, scope, kind and value', () => {
  const identity = { kind: 'publicKey', value: 'ab' } as const;
  const digests = [
    identityDigest(key, 's', identity),
    identityDigest(hintKey, 's', identity),
    identityDigest(key, 't', identity),
    identityDigest(key, 's', { ...identity, kind: 'credentialId' }),
    identityDigest(key, 's', { ...identity, value: 'ac' }),
    hintDigest(hintKey, 's', 'NAME', 'ab'),
    hintDigest(hintKey, 's', 'USERNAME', 'ab'),
    filterDigest(hintKey, 's', 'ab'),
  ].map((digest) => digest.toString('hex', 0, 8));
  expect(new Set(digests).size).toBe(digests.length);
});

test('hints are those of sub-organizations, without regard to case where there is none', () => {
  const withDetails = { ...user('Name'), email: 'A@Example.com', phoneNumber: '+41' };
  const account = { id: randomUUID(), address: '0xAbC' } as WalletAccount;
  const child: Organization = {
    ...organization('child', randomUUID(), [withDetails]),
    accounts: put(new Map(), account),
  };
  const { added, removed } = hintChanges(null, child, hintKey);
  expect(removed).toEqual([]);
  const digest = (kind: Parameters<typeof hintDigest>[2], value: string) =>
    hintDigest(hintKey, child.parentId ?? '', kind, value);
  const expected = [
    digest('NAME', 'child'),
    digest('USERNAME', 'Name'),
    digest('EMAIL', 'a@example.COM'),
    digest('PHONE_NUMBER', '+41'),
    digest('WALLET_ACCOUNT_ADDRESS', '0xabc'),
  ];
  expect(added).toEqual(expected);
  expect(digest('USERNAME', 'name')).not.toEqual(digest('USERNAME', 'Name'));
  expect(hintChanges(null, organization('parent'), hintKey)).toEqual({ added: [], removed: [] });

  const renamed = hintChanges(child, rename(child, 'other'), hintKey);
  expect(renamed).toEqual({ added: [digest('NAME', 'other')], removed: [digest('NAME', 'child')] });
  const gone = { ...rename(child, ''), users: new Map(), accounts: new Map(), deleted: true };
  expect(hintChanges(child, gone, hintKey)).toEqual({ added: [], removed: expected });
});
