import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { checkQuota, quotas } from '../../../src/enclave/activities/quotas.ts';
import type {
  ApiKey,
  MfaPolicy,
  Organization,
  PrivateKey,
  SessionProfile,
  SmartContractInterface,
  Tag,
  User,
  WalletAccount,
} from '../../../src/enclave/state.ts';
import { addressFormat } from '../../../src/protocol/activities/key-fields.ts';
import { openChannel } from '../../../src/protocol/frames.ts';
import { createWorld } from '../../support/effect-context.ts';
import { enclaveFolder, ordersDone, startEnclave } from '../../support/enclave-process.ts';
import { createMemoryStorage } from '../../support/memory-storage.ts';
import { createResident, ethereumAccount, sign } from '../../support/resident.ts';
import { createHost, opened, organization, startLedger, startTime, user } from '../../support/test-ledger.ts';
import { query, reasonOf, resultOf, submit } from '../../support/wire.ts';
import { socketPair } from '../api/fake-enclave.ts';

const { walletAccounts } = quotas;
const accounts = (from: number, count: number) =>
  Array.from({ length: count }, (_, index) => ethereumAccount(from + index));

test.each(Object.keys(quotas) as (keyof typeof quotas)[])(
  '%s: as many as the limit, and an error that says it',
  (kind) => {
    const { most, refusal } = quotas[kind];
    expect(() => checkQuota(kind, most, 'parameters')).not.toThrow();
    expect(() => checkQuota(kind, most + 1, 'parameters')).toThrow(
      expect.objectContaining({
        code: 'RESOURCE_EXHAUSTED',
        message: expect.stringMatching(new RegExp(`^${refusal}: expected at most ${most} .*; delete some first$`)),
        facts: { reason: 'QUOTA_EXCEEDED', fields: [{ field: 'parameters', description: expect.any(String) }] },
      }),
    );
  },
);

test('wallet accounts are counted over all wallets, by whatever activity they come', async () => {
  const world = createWorld();
  const { id } = world.parent;
  const { walletId } = await world.run(id, 'CREATE_WALLET', { walletName: 'first', accounts: accounts(0, 1) });
  const [known] = [...world.organization(id).accounts.values()] as [WalletAccount];
  const held = Array.from({ length: walletAccounts.most - 2 }, () => ({ ...known, id: randomUUID(), path: 'm/1' }));
  const full = new Map([known, ...held].map((account) => [account.id, account]));
  world.set({ ...world.organization(id), accounts: full });

  const refused = { code: 'RESOURCE_EXHAUSTED', facts: { reason: 'QUOTA_EXCEEDED' } };
  const add = (count: number, more = {}) =>
    world.run(id, 'CREATE_WALLET_ACCOUNTS', { walletId, accounts: accounts(1, count), ...more });
  await expect(add(2)).rejects.toMatchObject(refused);
  await expect(
    world.run(id, 'CREATE_WALLET', { walletName: 'second', accounts: accounts(0, 2) }),
  ).rejects.toMatchObject(refused);
  await expect(add(2, { persist: false })).resolves.toHaveProperty('addresses.length', 2);
  await add(1);
  await expect(add(1)).rejects.toMatchObject(refused);
  await world.run(id, 'CREATE_WALLET', { walletName: 'second', accounts: [] });
  await world.run(id, 'DELETE_WALLETS', { walletIds: [walletId], deleteWithoutExport: true });
  await expect(
    world.run(id, 'CREATE_WALLET', { walletName: 'third', accounts: accounts(0, 100) }),
  ).resolves.toBeDefined();
});

test('an organization with all the wallet accounts it may have is loaded again and signs with each', async () => {
  const storage = createMemoryStorage();
  const { folder, parent, remove } = enclaveFolder();
  const first = startEnclave(folder, storage);
  onTestFinished(remove);
  await first.serving();
  await ordersDone(folder);
  const alice = await createResident(first.wire, parent, 'Alice');
  const add = (from: number, count: number) =>
    submit(first.wire, alice.byPasskey, 'create_wallet_accounts', 'CREATE_WALLET_ACCOUNTS', {
      walletId: alice.walletId,
      accounts: accounts(from, count),
    });
  // Two came with the wallet.
  let addresses: string[] = [];
  for (let from = 2; from < walletAccounts.most; from += 100) {
    const added = resultOf(await add(from, Math.min(100, walletAccounts.most - from)));
    addresses = added.addresses as string[];
  }
  const refused = await add(walletAccounts.most, 1);
  expect([refused.status, reasonOf(refused)]).toEqual([429, 'QUOTA_EXCEEDED']);
  first.stop();

  const again = startEnclave(folder, storage);
  onTestFinished(() => again.stop());
  await again.serving();
  for (const address of [alice.addresses[0], addresses.at(-1) as string]) {
    expect((await sign(again.wire, alice.byPasskey, address)).status).toBe(200);
  }
  const listed = await query(again.wire, alice.byPasskey, 'list_wallet_accounts', {
    paginationOptions: { limit: '100' },
  });
  expect(listed.body.accounts).toHaveLength(100);
}, 180_000);

test('with every limit reached by the longest values it fits a frame, and is loaded as it was', async () => {
  const host = createHost();
  onTestFinished(host.remove);
  const first = await startLedger(host);
  const largest = atEveryLimit(organization('largest', null, []));
  first.append([{ from: null, to: largest }]);
  await first.settled();

  const second = await startLedger(host);
  const [near, far] = await socketPair();
  onTestFinished(() => void near.destroy());
  const arrived = new Promise((resolve) => openChannel(far, resolve, () => {}));
  host.storage.answer = (fetch, rows) => {
    if (fetch.what === 'organization')
      openChannel(
        near,
        () => {},
        () => {},
      ).send({ type: 'fetched', id: 1, rows });
    return rows;
  };
  const { organization: loaded } = await opened(second, largest.id);
  expect(loaded).toEqual(largest);
  expect(await arrived).toHaveProperty('type', 'fetched');
  far.destroy();
  await once(near, 'close');
}, 180_000);

/** Each field as long as the schemas let it be, in characters of three bytes where it is free text. */
function atEveryLimit(blank: Organization): Organization {
  const times = { createdAt: startTime, updatedAt: startTime };
  const wide = (length: number) => '€'.repeat(length);
  const name = wide(255);
  const many = <T extends { id: string }>(kind: keyof typeof quotas, make: (id: string, index: number) => T) =>
    new Map(
      Array.from({ length: quotas[kind].most }, (_, index) => make(randomUUID(), index)).map((one) => [one.id, one]),
    );
  const apiKey = (): ApiKey => ({
    id: randomUUID(),
    name,
    publicKey: 'f'.repeat(132),
    curve: 'API_KEY_CURVE_SECP256K1',
    type: 'CREDENTIAL_TYPE_API_KEY_SECP256K1',
    expirationSeconds: 1e12,
    ...times,
  });
  const authenticator = (): User['authenticators'][number] => ({
    id: randomUUID(),
    name,
    credentialId: 'f'.repeat(256),
    publicKey: Buffer.alloc(65_536 / 4),
    rpId: 'r'.repeat(253),
    aaguid: Buffer.alloc(16),
    transports: Array(10).fill('AUTHENTICATOR_TRANSPORT_INTERNAL'),
    backupEligible: true,
    ...times,
  });
  const mfaPolicy = (): MfaPolicy => ({
    ...{ id: randomUUID(), name, condition: wide(2048), notes: wide(512), order: 2 ** 31 - 1 },
    steps: Array(5).fill(Array(10).fill({ type: 'AUTHENTICATION_TYPE_EMAIL_OTP', id: randomUUID() })),
    ...times,
  });
  const { most } = quotas.mfaPolicies;
  const keys = quotas.longLivedApiKeys.most + quotas.shortLivedApiKeys.most;
  const address = { format: 'ADDRESS_FORMAT_UNCOMPRESSED', address: 'f'.repeat(130) };
  const addresses = addressFormat.options.map(() => address);
  const publicKey = 'f'.repeat(66);
  const tags = many('tags', (id): Tag => ({ id, name, type: 'TAG_TYPE_PRIVATE_KEY', ...times }));
  const tagIds = [...tags.keys()];
  return {
    ...blank,
    users: many('users', (id, index) => ({
      ...user(name),
      id,
      tagIds,
      email: 'e'.repeat(254),
      phoneNumber: '+123456789012345',
      apiKeys: Array.from({ length: keys }, apiKey),
      authenticators: Array.from({ length: quotas.authenticators.most }, authenticator),
      mfaPolicies: index * most < quotas.allMfaPolicies.most ? Array.from({ length: most }, mfaPolicy) : [],
    })),
    policies: many('policies', (id) => ({
      id,
      name,
      effect: 'EFFECT_ALLOW',
      condition: wide(8192),
      consensus: wide(8192),
      time: wide(8192),
      notes: wide(2048),
      ...times,
    })),
    wallets: many('wallets', (id) => ({
      ...{ id, name, seedDigest: 'f'.repeat(64), exported: false, imported: false },
      ...times,
    })),
    accounts: many(
      'walletAccounts',
      (id, index): WalletAccount => ({
        ...{ id, walletId: blank.id, name, curve: 'CURVE_SECP256K1', path: `m/${'1/'.repeat(123)}${index}` },
        ...{ addressFormat: address.format, address: address.address, publicKey },
        ...times,
      }),
    ),
    privateKeys: many(
      'privateKeys',
      (id): PrivateKey => ({
        ...{ id, name, curve: 'CURVE_SECP256K1', publicKey, addresses, tagIds },
        ...{ exported: false, imported: false },
        ...times,
      }),
    ),
    tags,
    // Its own, and as many of its parent's.
    sessionProfiles: new Map(
      Array.from({ length: 200 }, (): [string, SessionProfile] => {
        const id = randomUUID();
        return [id, { id, name, scope: wide(2048), notes: wide(512), expirationSeconds: 1, ...times }];
      }),
    ),
    interfaces: many(
      'interfaces',
      (id): SmartContractInterface => ({
        ...{ id, address: `0x${'f'.repeat(40)}`, type: 'SMART_CONTRACT_INTERFACE_TYPE_ETHEREUM' },
        ...{ json: 'j'.repeat(quotas.interfaceBytes.most / quotas.interfaces.most), label: name, notes: wide(2048) },
        ...times,
      }),
    ),
  };
}
