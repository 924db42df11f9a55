/**
 * Another sub-organization's user, and anybody who can reach the service, as the attacker of DESIGN §1: nothing of a
 * resident is visible to them or usable by them.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { generateApiKey, makeApiKeyStamp } from '../../src/stamping/make-api-key-stamp.ts';
import type { Deviations } from '../../src/stamping/software-authenticator.ts';
import { newRegistration } from '../support/registration.ts';
import { createResident, newPasskey, type Resident, sign, signing } from '../support/resident.ts';
import { parent, service, useService, wire } from '../support/use-service.ts';
import { activityBody, type Caller, query, reasonOf, resultOf, submit } from '../support/wire.ts';

useService({ env: { COUNTERSIGN_LOG_LEVEL: 'warn' } });
let alice: Resident;
let mallory: Resident;

beforeAll(async () => {
  alice = await createResident(wire, parent, 'Alice');
  mallory = await createResident(wire, parent, 'Mallory');
});

const inside = (caller: Caller, organizationId: string): Caller => ({ ...caller, organizationId });
const signBody = (by: Resident) =>
  activityBody(by.organizationId, 'ACTIVITY_TYPE_SIGN_RAW_PAYLOAD_V2', signing(by.addresses[0]));
const signRequest = (body: string, stamp: { header: 'X-Stamp' | 'X-Stamp-Webauthn'; value: string } | null) =>
  wire({ kind: 'submit', name: 'sign_raw_payload', body, stamp });

describe("another organization's user", () => {
  const everyWay = (): Caller[] => [
    inside(mallory.byPasskey, alice.organizationId),
    inside(mallory.byApiKey, alice.organizationId),
    { organizationId: alice.organizationId, stamp: (body) => newPasskey().stamp(body) },
    { organizationId: alice.organizationId, stamp: (body) => makeApiKeyStamp(body, generateApiKey()) },
  ];

  test('reads and does nothing in it', async () => {
    for (const caller of everyWay()) {
      for (const name of ['whoami', 'get_organization', 'list_wallets', 'list_users', 'list_activities']) {
        const { status, body } = await query(wire, caller, name);
        expect(status, name).toBe(401);
        expect(JSON.stringify(body)).not.toMatch(new RegExp(`alice|${alice.userId}|${alice.addresses[0]}`, 'i'));
      }
      expect((await sign(wire, caller, alice.addresses[0])).status).toBe(401);
      const own = { userId: alice.userId, apiKeys: [] };
      expect(
        (await submit(wire, caller, 'create_api_keys', 'CREATE_API_KEYS_V2', { ...own, apiKeys: [key()] })).status,
      ).toBe(401);
    }
    expect((await sign(wire, alice.byPasskey, alice.addresses[0])).status).toBe(200);
  });

  const key = (apiKeyName = 'key', { publicKey } = generateApiKey()) => ({
    ...{ apiKeyName, publicKey, curveType: 'API_KEY_CURVE_P256' },
  });

  test('cannot name its keys, users and wallets from within the own organization', async () => {
    for (const signWith of [...alice.addresses, alice.addresses[0].toLowerCase(), alice.privateKeyId, alice.walletId]) {
      const refused = await sign(wire, mallory.byPasskey, signWith);
      expect([refused.status, refused.body.message], signWith).toEqual([
        404,
        'could not find any resource to sign with',
      ]);
    }
    const attempts: [string, string, object][] = [
      ['create_api_keys', 'CREATE_API_KEYS_V2', { userId: alice.userId, apiKeys: [key()] }],
      ['create_wallet_accounts', 'CREATE_WALLET_ACCOUNTS', { walletId: alice.walletId, accounts: [account] }],
      ['update_user_name', 'UPDATE_USER_NAME', { userId: alice.userId, userName: 'x' }],
      ['update_root_quorum', 'UPDATE_ROOT_QUORUM', { threshold: 1, userIds: [alice.userId] }],
      ['delete_wallets', 'DELETE_WALLETS', { walletIds: [alice.walletId], deleteWithoutExport: true }],
      ['delete_users', 'DELETE_USERS', { userIds: [alice.userId] }],
    ];
    for (const [name, type, parameters] of attempts) {
      expect((await submit(wire, mallory.byPasskey, name, type, parameters)).status, name).toBe(404);
    }
    for (const [name, parameters] of Object.entries({
      ...{ get_user: { userId: alice.userId }, get_wallet: { walletId: alice.walletId } },
      ...{ get_private_key: { privateKeyId: alice.privateKeyId }, get_authenticators: { userId: alice.userId } },
      get_activity: { activityId: await activityOf(alice) },
    })) {
      expect((await query(wire, mallory.byPasskey, name, parameters)).status, name).toBe(404);
    }
  });

  const account = {
    ...{ curve: 'CURVE_SECP256K1', pathFormat: 'PATH_FORMAT_BIP32' },
    ...{ path: "m/44'/60'/0'/0/9", addressFormat: 'ADDRESS_FORMAT_ETHEREUM' },
  };
  const activityOf = async (owner: Resident) => {
    const { body } = await query(wire, owner.byPasskey, 'list_activities');
    return (body.activities as [{ id: string }])[0].id;
  };

  test("cannot register a resident's credential id, nor list the parent's residents", async () => {
    const stolen = newRegistration({ credentialId: Buffer.from(alice.passkey.credentialId, 'base64url') });
    const parameters = { userId: mallory.userId, authenticators: [stolen] };
    const refused = await submit(
      wire,
      mallory.byPasskey,
      'create_authenticators',
      'CREATE_AUTHENTICATORS_V2',
      parameters,
    );
    expect([refused.status, refused.body.message]).toEqual([400, 'authenticator is already in use']);
    for (const organizationId of [mallory.organizationId, parent.organizationId]) {
      const filter = { filterType: 'CREDENTIAL_ID', filterValue: alice.passkey.credentialId };
      expect([401, 403]).toContain(
        (await query(wire, inside(mallory.byApiKey, organizationId), 'list_suborgs', filter)).status,
      );
    }
    expect((await query(wire, inside(alice.byPasskey, parent.organizationId), 'whoami')).body.userId).toBe(
      alice.userId,
    );
  });

  test('two who race for one new credential id: only one gets it', async () => {
    const credentialId = Buffer.from(newPasskey().credentialId, 'base64url');
    const claim = (by: Resident) => {
      // A second one keeps the first waiting between its check and its registration.
      const authenticators = [newRegistration({ credentialId }), newRegistration(), newRegistration()];
      return submit(wire, by.byPasskey, 'create_authenticators', 'CREATE_AUTHENTICATORS_V2', {
        userId: by.userId,
        authenticators,
      });
    };
    const answers = await Promise.all([claim(alice), claim(mallory)]);
    expect(answers.map(({ status }) => status).filter((status) => status === 200)).toHaveLength(1);
    const loser = answers[0]?.status === 200 ? mallory : alice;
    const refused = await claim(loser);
    expect([refused.status, refused.body.message]).toEqual([400, 'authenticator is already in use']);
  });

  test('learns from whoami at the parent no more than about the own credential', async () => {
    const own = await query(wire, inside(mallory.byPasskey, parent.organizationId), 'whoami');
    expect(own.body).toMatchObject({ organizationId: mallory.organizationId, userId: mallory.userId });
    const body = JSON.stringify({ organizationId: parent.organizationId });
    const { value } = mallory.byPasskey.stamp(body);
    const pretended = JSON.stringify({ ...JSON.parse(value), credentialId: alice.passkey.credentialId });
    const asked = await wire({
      kind: 'query',
      name: 'whoami',
      body,
      stamp: { header: 'X-Stamp-Webauthn', value: pretended },
    });
    expect([asked.status, JSON.stringify(asked.body)]).toEqual([401, expect.not.stringMatching(alice.organizationId)]);
    const unknown = await query(wire, { ...parent, stamp: (text) => newPasskey().stamp(text) }, 'whoami');
    expect(unknown.status).toBe(401);
  });
});

describe('stamps', () => {
  const wrong: Record<string, Deviations> = {
    'another origin': { clientData: { origin: 'https://evil.example' } },
    'an origin that looks like it': { clientData: { origin: 'http://localhost.evil.example:3000' } },
    'https for http': { clientData: { origin: 'https://localhost:3000' } },
    'a null origin': { clientData: { origin: 'null' } },
    'no origin': { clientData: { origin: undefined } },
    'a path in the origin': { clientData: { origin: 'http://localhost:3000/' } },
    'another RP id': { rpId: 'evil.example' },
    'an RP id in capitals': { rpId: 'LOCALHOST' },
    'a registration': { clientData: { type: 'webauthn.create' } },
    'no type': { clientData: { type: undefined } },
    'another challenge': { clientData: { challenge: Buffer.from('0'.repeat(64)).toString('base64url') } },
    'an empty challenge': { clientData: { challenge: '' } },
    'a frame': { clientData: { crossOrigin: true } },
    'a page that frames it': { clientData: { topOrigin: 'https://evil.example' } },
    'nobody there': { flags: 0x04 },
    'backed up without being able to be': { flags: 0x15 },
    'newly able to be backed up': { flags: 0x0d },
    'attested data': { flags: 0x45 },
    'extensions that are not there': { flags: 0x85 },
    'a signature of nothing': { sign: () => Buffer.alloc(0) },
    'a signature of zeros': { sign: () => Buffer.from('3006020100020100', 'hex') },
  };

  test.each(Object.keys(wrong))('%s: refused', async (name) => {
    const body = signBody(alice);
    const refused = await signRequest(body, alice.passkey.stamp(body, wrong[name]));
    expect(refused.status).toBe(401);
    expect((await signRequest(body, alice.passkey.stamp(body))).status).toBe(200);
  });

  test('a twin, another encoding and a second credential of the user are the same activity or nothing', async () => {
    const body = signBody(alice);
    const first = await signRequest(body, alice.passkey.stamp(body));
    const { id } = first.body.activity as { id: string };
    const count = async () => {
      const page = { paginationOptions: { limit: '100' } };
      return ((await query(wire, alice.byPasskey, 'list_activities', page)).body.activities as unknown[]).length;
    };
    const before = await count();
    const stamp = alice.passkey.stamp(body);
    const fields = JSON.parse(stamp.value) as { signature: string };
    const der = Buffer.from(fields.signature, 'base64url');
    const [r, s] = integersOf(der);
    const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
    const encodings = {
      'high-S twin': derOf(integer(r), integer(order - s)),
      'longer length': Buffer.concat([Buffer.of(0x30, 0x81, der.length - 2), der.subarray(2)]),
      'zeros before r': derOf(Buffer.concat([Buffer.alloc(3), integer(r)]), integer(s)),
      'something behind': Buffer.concat([der, Buffer.of(0)]),
      'raw r and s': Buffer.from(r.toString(16).padStart(64, '0') + s.toString(16).padStart(64, '0'), 'hex'),
      'r plus the order': derOf(integer(r + order), integer(s)),
    };
    for (const [name, signature] of Object.entries(encodings)) {
      const value = JSON.stringify({ ...fields, signature: signature.toString('base64url') });
      const answer = await signRequest(body, { header: 'X-Stamp-Webauthn', value });
      expect([id, 'SIGNATURE_INVALID'], name).toContain(answer.body.activity?.id ?? reasonOf(answer));
    }
    expect((await signRequest(body, alice.byApiKey.stamp(body))).body.activity?.id).toBe(id);
    expect(await count()).toBe(before);
  });

  const integersOf = (der: Buffer): [bigint, bigint] => {
    const end = 4 + (der[3] as number);
    return [BigInt(`0x${der.toString('hex', 4, end)}`), BigInt(`0x${der.toString('hex', end + 2)}`)];
  };
  const integer = (value: bigint): Buffer => {
    const digits = value.toString(16);
    const even = digits.length % 2 ? `0${digits}` : digits;
    return Buffer.from(/^[89a-f]/.test(even) ? `00${even}` : even, 'hex');
  };
  const derOf = (...integers: Buffer[]): Buffer => {
    const body = Buffer.concat(integers.flatMap((each) => [Buffer.of(2, each.length), each]));
    return Buffer.concat([Buffer.of(0x30, body.length), body]);
  };

  test('two stamps at once, and stamps in the wrong header, are refused', async () => {
    const body = signBody(alice);
    const both = {
      'X-Stamp': alice.byApiKey.stamp(body).value,
      'X-Stamp-Webauthn': mallory.byPasskey.stamp(body).value,
    };
    const url = `${service.baseUrl}/public/v1/submit/sign_raw_payload`;
    const headers = { 'Content-Type': 'application/json' };
    expect((await fetch(url, { method: 'POST', headers: { ...headers, ...both }, body })).status).toBe(401);
    const swapped = [
      { header: 'X-Stamp', value: alice.passkey.stamp(body).value },
      { header: 'X-Stamp-Webauthn', value: alice.byApiKey.stamp(body).value },
    ] as const;
    for (const stamp of [...swapped, null]) expect((await signRequest(body, stamp)).status).toBe(401);
  });
});

describe('credentials that are no more', () => {
  test('a deleted passkey, API key and user stamp nothing', async () => {
    const [passkey, apiKey] = [newPasskey(), generateApiKey()];
    const users = [
      {
        userName: 'Guest',
        apiKeys: [{ apiKeyName: 'key', publicKey: apiKey.publicKey, curveType: 'API_KEY_CURVE_P256' }],
        authenticators: [{ authenticatorName: 'passkey', ...passkey.register() }],
        ...{ oauthProviders: [], userTags: [] },
      },
    ];
    const made = resultOf(await submit(wire, alice.byPasskey, 'create_users', 'CREATE_USERS_V4', { users }));
    const [userId] = made.userIds as [string];
    const { organizationId } = alice;
    const guests: Caller[] = [
      { organizationId, stamp: (body) => passkey.stamp(body) },
      { organizationId, stamp: (body) => makeApiKeyStamp(body, apiKey) },
    ];
    for (const guest of guests) {
      expect((await query(wire, guest, 'whoami')).body.userId).toBe(userId);
      // A guest is no root user, and no policy allows it.
      expect((await sign(wire, guest, alice.addresses[0])).status).toBe(403);
    }
    const { body } = await query(wire, alice.byPasskey, 'get_user', { userId });
    const user = body.user as { apiKeys: [{ apiKeyId: string }] };
    const keys = { userId, apiKeyIds: [user.apiKeys[0].apiKeyId] };
    resultOf(await submit(wire, alice.byPasskey, 'delete_api_keys', 'DELETE_API_KEYS', keys));
    const statuses = async () => Promise.all(guests.map(async (guest) => (await query(wire, guest, 'whoami')).status));
    expect(await statuses()).toEqual([200, 401]);
    resultOf(await submit(wire, alice.byPasskey, 'delete_users', 'DELETE_USERS', { userIds: [userId] }));
    expect(await statuses()).toEqual([401, 401]);
  });

  test('an API key that has expired', async () => {
    const apiKey = generateApiKey();
    const apiKeys = [
      { apiKeyName: 'session', publicKey: apiKey.publicKey, curveType: 'API_KEY_CURVE_P256', expirationSeconds: '2' },
    ];
    const parameters = { userId: alice.userId, apiKeys };
    resultOf(await submit(wire, alice.byPasskey, 'create_api_keys', 'CREATE_API_KEYS_V2', parameters));
    const session: Caller = { organizationId: alice.organizationId, stamp: (body) => makeApiKeyStamp(body, apiKey) };
    expect((await sign(wire, session, alice.addresses[0])).status).toBe(200);
    await sleep(2100);
    expect(reasonOf(await sign(wire, session, alice.addresses[0]))).toBe('API_KEY_EXPIRED');
    expect(reasonOf(await query(wire, session, 'whoami'))).toBe('API_KEY_EXPIRED');
  });

  test('an organization that was deleted', async () => {
    const gone = await createResident(wire, parent, 'Gone');
    const parameters = { deleteWithoutExport: true };
    resultOf(await submit(wire, gone.byPasskey, 'delete_sub_organization', 'DELETE_SUB_ORGANIZATION', parameters));
    for (const caller of [gone.byPasskey, gone.byApiKey, inside(parent, gone.organizationId)]) {
      expect((await query(wire, caller, 'whoami')).status).toBe(404);
      expect((await sign(wire, caller, gone.addresses[0])).status).toBe(404);
    }
    expect((await query(wire, inside(gone.byPasskey, parent.organizationId), 'whoami')).status).toBe(401);
  });

  test('a deletion that is sent again, with any stamp but the one that was taken', async () => {
    const gone = await createResident(wire, parent, 'Leaver');
    const type = 'ACTIVITY_TYPE_DELETE_SUB_ORGANIZATION';
    const body = activityBody(gone.organizationId, type, { deleteWithoutExport: true });
    const [signed, another] = [signBody(gone), activityBody(gone.organizationId, type, { deleteWithoutExport: true })];
    const stamp = gone.byPasskey.stamp(body);
    const send = (sent: string, by: typeof stamp | null, name = 'delete_sub_organization') =>
      wire({ kind: 'submit', name, body: sent, stamp: by });
    const earlier = { body: signed, stamp: gone.byPasskey.stamp(signed) };
    expect((await send(earlier.body, earlier.stamp, 'sign_raw_payload')).status).toBe(200);
    const deleted = await send(body, stamp);
    resultOf(deleted);
    expect(await send(body, stamp)).toEqual(deleted);

    expect((await send(body, null)).status).toBe(401);
    const assertion = JSON.parse(stamp.value) as Record<string, string>;
    const others = [
      ...[mallory.byPasskey, mallory.byApiKey, parent, gone.byApiKey, gone.byPasskey].map((by) => by.stamp(body)),
      gone.byPasskey.stamp(another),
      { ...stamp, value: JSON.stringify({ ...assertion, signature: 'MEUCIQ' }) },
      { ...stamp, value: JSON.stringify({ ...assertion, credentialId: mallory.passkey.credentialId }) },
    ];
    for (const other of others) expect(reasonOf(await send(body, other))).toBe('ORGANIZATION_NOT_FOUND');
    for (const [sent, by] of [
      [another, stamp],
      [another, gone.byPasskey.stamp(another)],
      [`${body} `, stamp],
    ] as const) {
      expect(reasonOf(await send(sent, by))).toBe('ORGANIZATION_NOT_FOUND');
    }
    expect(reasonOf(await send(earlier.body, earlier.stamp, 'sign_raw_payload'))).toBe('ORGANIZATION_NOT_FOUND');
    expect(await send(body, stamp)).toEqual(deleted);
  });
});

describe('names', () => {
  test('an id in capitals is the same id, and nothing else is', async () => {
    const shouted = await query(wire, inside(mallory.byPasskey, alice.organizationId.toUpperCase()), 'whoami');
    expect(shouted.status).toBe(401);
    const own = await query(wire, inside(alice.byPasskey, alice.organizationId.toUpperCase()), 'whoami');
    expect(own.body.organizationId).toBe(alice.organizationId);
    const id = alice.organizationId;
    const tricks = [`${id} `, ` ${id}`, `{${id}}`, id.replaceAll('-', ''), `${id}\u0000`, id.replace(/.$/, '\uff10')];
    for (const trick of [...tricks, '__proto__', '', '0', 'null', `${id}/../x`]) {
      expect((await query(wire, inside(alice.byPasskey, trick), 'whoami')).status, trick).toBe(400);
    }
  });

  test('of prototypes, in every place, change nothing', async () => {
    const names = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty'];
    for (const name of names) {
      const { organizationId } = alice;
      const body = `{"${name}":{"isRoot":true},"organizationId":"${organizationId}","type":"ACTIVITY_TYPE_CREATE_WALLET","timestampMs":"${Date.now()}","parameters":{"walletName":"w","accounts":[],"${name}":{"x":1}}}`;
      const stamp = alice.byPasskey.stamp(body);
      const refused = await wire({ kind: 'submit', name: 'create_wallet', body, stamp });
      expect([refused.status, refused.body.message], name).toEqual([400, expect.stringContaining(name)]);
      const wallet = { walletName: name, accounts: [] };
      expect((await submit(wire, alice.byPasskey, 'create_wallet', 'CREATE_WALLET', wallet)).status).toBe(200);
      for (const kind of ['submit', 'query'] as const) {
        expect((await wire({ kind, name: name.toLowerCase(), body, stamp })).status, name).toBe(404);
      }
    }
    const listed = await query(wire, alice.byPasskey, 'list_wallets');
    expect((listed.body.wallets as { walletName: string }[]).map(({ walletName }) => walletName)).toEqual(
      expect.arrayContaining(names),
    );
    expect((await query(wire, inside(mallory.byPasskey, alice.organizationId), 'whoami')).status).toBe(401);
  });
});

test('a user who fills the own organization with large activities stops nobody', async () => {
  const payload = 'ab'.repeat(520_000);
  const parameters = { ...signing(mallory.addresses[0]), payload, hashFunction: 'HASH_FUNCTION_KECCAK256' };
  for (let round = 0; round < 5; round++) {
    const answers = await Promise.all(
      Array.from({ length: 4 }, () =>
        submit(wire, mallory.byApiKey, 'sign_raw_payload', 'SIGN_RAW_PAYLOAD_V2', parameters),
      ),
    );
    for (const { status } of answers) expect(status).toBe(200);
  }
  for (const limit of ['100', '20']) {
    const all = await query(wire, mallory.byApiKey, 'list_activities', { paginationOptions: { limit } });
    expect([all.status, all.body.message], limit).toEqual([429, 'the answer is too large']);
  }
  const page = await query(wire, mallory.byApiKey, 'list_activities');
  expect((page.body.activities as unknown[]).length).toBe(10);
  expect((await sign(wire, alice.byPasskey, alice.addresses[0])).status).toBe(200);
  expect(service.output()).not.toContain('starting again');
});
