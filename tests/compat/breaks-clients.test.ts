/**
 * The things that break Turnkey's clients when a server gets them wrong, one test each. Three of them come with what they
 * belong to: the session JWT (22), the keys in HPKE bundles (23), and the text of an explicit policy denial (part of 17).
 */

import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { parseTransaction, recoverAddress, serializeTransaction } from 'viem';
import { beforeAll, describe, expect, test } from 'vitest';
import { activityView } from '../../src/enclave/views/activity.ts';
import { findActivity, findActivityByName } from '../../src/protocol/registry.ts';
import { generateApiKey } from '../../src/stamping/make-api-key-stamp.ts';
import { createSoftwareAuthenticator } from '../../src/stamping/software-authenticator.ts';
import { byRoot } from '../support/decision.ts';
import { organization } from '../support/test-ledger.ts';
import {
  type Answer,
  envelope,
  goJson,
  type Headers,
  type Json,
  post,
  pythonJson,
  stampOf,
  timestampMs,
} from './raw.ts';
import { apiKeyParams, type Member, newSubOrganization, rootMember, useService } from './use-service.ts';

const service = useService();
let root: Member;
let sub: Awaited<ReturnType<typeof newSubOrganization>>;

beforeAll(async () => {
  root = rootMember(service.root);
  sub = await newSubOrganization(service.client());
});

const url = (path: string) => `${service.baseUrl}/public/v1/${path}`;

/** Stamps `text` and sends it as it is. */
const send = async (path: string, text: string, as: Member, headers: Headers = {}): Promise<Answer> =>
  post(url(path), text, { ...headers, ...(await stampOf(text, as)) });

const submit = (name: string, type: string, parameters: Json, as: Member): Promise<Answer> =>
  send(`submit/${name}`, JSON.stringify(envelope(type, as, parameters)), as);

/** The one member of the result of an activity. */
function resultOf<T = Record<string, unknown>>({ status, json }: Answer): { key: string; value: T } {
  expect(json, JSON.stringify(json)).toHaveProperty('activity.status', 'ACTIVITY_STATUS_COMPLETED');
  expect(status).toBe(200);
  const [[key, value]] = Object.entries(json.activity.result) as [[string, T]];
  return { key, value };
}

const whoami = (as: Member, headers: Headers = {}) =>
  send('query/whoami', JSON.stringify({ organizationId: as.organizationId }), as, headers);

const rawPayload = (payload = 'hello', encoding = 'PAYLOAD_ENCODING_TEXT_UTF8') => ({
  signWith: sub.address,
  payload,
  encoding,
  hashFunction: 'HASH_FUNCTION_KECCAK256',
});
const signRawPayload = (payload: string, encoding?: string) =>
  submit('sign_raw_payload', 'ACTIVITY_TYPE_SIGN_RAW_PAYLOAD_V2', rawPayload(payload, encoding), sub);

const policy = (policyName: string) => ({ policyName, effect: 'EFFECT_DENY', condition: 'true', notes: '' });

test('1. POST to {base}/public/v1/{submit|query}/{name}, a base without a slash at its end', async () => {
  expect(await whoami(sub)).toMatchObject({ status: 200, json: { userId: sub.userId } });
  const body = JSON.stringify({ organizationId: sub.organizationId });
  const stamp = await stampOf(body, sub);
  const get = await post(url('query/whoami'), '', stamp, 'GET');
  expect(get).toMatchObject({ status: 405, json: { code: 12, details: [] } });
  const doubleSlash = await post(`${service.baseUrl}//public/v1/query/whoami`, body, stamp);
  expect(doubleSlash).toMatchObject({ status: 404, json: { code: 5, details: [] } });
});

describe('2. the stamp is over the raw bytes', () => {
  const name = 'Zoë & <Ωmega> "quoted" 😀\\';

  test.each([
    ['Python', pythonJson],
    ['Go', goJson],
    ['JavaScript', JSON.stringify],
    ['a pretty printer', (value: Json) => `\n${JSON.stringify(value, null, 2)}\r\n`],
  ])('as %s writes JSON', async (_, write) => {
    const parameters = { walletName: `${name} ${timestampMs()}`, accounts: [] };
    const text = write(envelope('ACTIVITY_TYPE_CREATE_WALLET', sub, parameters));
    const { json } = await send('submit/create_wallet', text, sub);
    expect(json.activity.intent).toEqual({ createWalletIntent: parameters });
    expect(json.activity.votes[0]?.message).toBe(text);
  });

  test('as Rust writes JSON: null for what is not there, at every depth', async () => {
    const user = {
      userName: name,
      userEmail: null,
      userPhoneNumber: null,
      apiKeys: [{ ...apiKeyParams(generateApiKey()), expirationSeconds: null }],
      authenticators: [],
      oauthProviders: [],
      userTags: [],
    };
    const text = JSON.stringify({
      ...envelope('ACTIVITY_TYPE_CREATE_USERS_V4', sub, { users: [user] }),
      generateAppProofs: null,
    });
    const { json } = await send('submit/create_users', text, sub);
    const { userEmail: _, userPhoneNumber: __, ...kept } = user;
    const [{ expirationSeconds: ___, ...key }] = user.apiKeys as [(typeof user.apiKeys)[0]];
    expect(json.activity.intent).toEqual({ createUsersIntentV4: { users: [{ ...kept, apiKeys: [key] }] } });
  });

  test('as Rust writes JSON: a query has an empty string for each text that is not set', async () => {
    const paginationOptions = { limit: '2', before: '', after: '' };
    const { organizationId } = root;
    const listed = JSON.stringify({ organizationId, filterType: '', filterValue: '', paginationOptions });
    const { json } = await send('query/list_suborgs', listed, root);
    expect(json.organizationIds).toContain(sub.organizationId);
    const text = JSON.stringify({ organizationId, filterByStatus: [], filterByType: [], paginationOptions: null });
    expect((await send('query/list_activities', text, root)).json.activities).not.toEqual([]);
  });

  test('the same JSON in other bytes is another body', async () => {
    const body = { organizationId: sub.organizationId };
    const stamp = await stampOf(JSON.stringify(body), sub);
    const answer = await post(url('query/whoami'), pythonJson(body), stamp);
    expect(answer).toMatchObject({ status: 401, json: { code: 16, message: 'could not verify api key signature' } });
  });
});

test.each([{}, { 'Content-Type': 'text/plain' }, { 'Content-Type': 'application/json; charset=utf-8' }])(
  '3. the request may have any Content-Type or none: %o',
  async (headers) => expect((await whoami(sub, headers)).status).toBe(200),
);

describe('4. the Content-Type of answers is exactly application/json', () => {
  const unstamped = (path: string, body = '{}', method = 'POST') => post(url(path), body, {}, method);
  test.each<[number, () => Promise<Answer>]>([
    [200, () => whoami(sub)],
    [200, () => signRawPayload('type')],
    [400, () => send('query/whoami', '{', sub)],
    [401, () => unstamped('query/whoami', JSON.stringify({ organizationId: sub.organizationId }))],
    [404, () => unstamped('query/no_such_query')],
    [404, () => unstamped('submit/no_such_activity')],
    [405, () => unstamped('query/whoami', '', 'PUT')],
    [413, () => unstamped('query/whoami', ' '.repeat(1024 * 1024 + 1))],
  ])('%i', async (status, request) => {
    const answer = await request();
    expect(answer.status).toBe(status);
    expect(answer.headers['content-type']).toBe('application/json');
  });
});

describe('5. the fingerprint is the SHA-256 of the raw body', () => {
  test.each([JSON.stringify, pythonJson])('%o', async (write) => {
    const text = write(envelope('ACTIVITY_TYPE_CREATE_WALLET', sub, { walletName: timestampMs(), accounts: [] }));
    const { json } = await send('submit/create_wallet', text, sub);
    expect(json.activity.fingerprint).toBe(`sha256:${createHash('sha256').update(text).digest('hex')}`);
  });

  test('of an activity of Turnkey itself', () => {
    const organizationId = '35e5c619-ba95-417c-bb48-b16f1543aea0';
    const body = `{"type":"ACTIVITY_TYPE_DELETE_SUB_ORGANIZATION","timestampMs":"1754952030221","organizationId":"${organizationId}","parameters":{"deleteWithoutExport":true}}`;
    const { version } = findActivity('ACTIVITY_TYPE_DELETE_SUB_ORGANIZATION') as NonNullable<
      ReturnType<typeof findActivity>
    >;
    const record = {
      id: '01989b4a-d95c-7569-87dc-e35ffc34497f',
      organizationId,
      type: 'ACTIVITY_TYPE_DELETE_SUB_ORGANIZATION',
      status: 'ACTIVITY_STATUS_COMPLETED',
      body: Buffer.from(body),
      intentKey: version.intent,
      resultKey: version.result,
      result: JSON.stringify({ subOrganizationUuid: organizationId }),
      signed: [],
      votes: [],
      facts: { signCountRegressed: false, userVerified: null, decision: byRoot },
      createdAt: 1754952030000,
      updatedAt: 1754952030000,
    } as const;
    expect(activityView(record, organization('parent'))).toEqual({
      id: '01989b4a-d95c-7569-87dc-e35ffc34497f',
      organizationId,
      status: 'ACTIVITY_STATUS_COMPLETED',
      type: 'ACTIVITY_TYPE_DELETE_SUB_ORGANIZATION',
      intent: { deleteSubOrganizationIntent: { deleteWithoutExport: true } },
      result: { deleteSubOrganizationResult: { subOrganizationUuid: organizationId } },
      votes: [],
      appProofs: [],
      fingerprint: 'sha256:143e777f907453d71c5a3213059d641f54b28737276c4bc6b405ef06831876cb',
      canApprove: false,
      canReject: true,
      createdAt: { seconds: '1754952030', nanos: '0' },
      updatedAt: { seconds: '1754952030', nanos: '0' },
      failure: null,
    });
  });
});

test('6. the same bytes are the same activity, another timestampMs is another one', async () => {
  const body = envelope('ACTIVITY_TYPE_CREATE_WALLET', sub, { walletName: 'only once', accounts: [] });
  const text = JSON.stringify(body);
  const [first, ...again] = await Promise.all([1, 2, 3].map(() => send('submit/create_wallet', text, sub)));
  for (const answer of [...again, await send('submit/create_wallet', text, sub)]) {
    expect(answer.json).toEqual((first as Answer).json);
  }
  const other = JSON.stringify({
    ...body,
    timestampMs: timestampMs(),
    parameters: { walletName: 'twice', accounts: [] },
  });
  expect((await send('submit/create_wallet', other, sub)).json.activity.id).not.toBe(first?.json.activity.id);
  const { wallets } = await service.client(sub).getWallets();
  expect(wallets.filter(({ walletName }) => walletName === 'only once')).toHaveLength(1);
});

describe('7. timestampMs is a string, younger than an hour and at most 5 minutes ahead', () => {
  const minute = 60_000;
  const slack = 5_000;
  test.each<[string, number, (time: number) => Json]>([
    ['an hour ago, almost', 200, (now) => String(now - 60 * minute + slack)],
    ['an hour ago', 400, (now) => String(now - 60 * minute)],
    ['5 minutes ahead, almost', 200, (now) => String(now + 5 * minute - slack)],
    ['more than 5 minutes ahead', 400, (now) => String(now + 5 * minute + slack)],
    ['a number', 400, (now) => now],
    ['seconds', 400, (now) => String(Math.floor(now / 1000))],
    ['ISO 8601', 400, (now) => new Date(now).toISOString()],
  ])('%s: %i', async (_, status, time) => {
    const body = envelope('ACTIVITY_TYPE_SIGN_RAW_PAYLOAD_V2', sub, rawPayload());
    const text = JSON.stringify({ ...body, timestampMs: time(Number(timestampMs())) });
    const answer = await send('submit/sign_raw_payload', text, sub);
    expect(answer.status, JSON.stringify(answer.json)).toBe(status);
  });
});

test('8. times in answers are seconds and nanoseconds, both as strings', async () => {
  const { activity } = (await signRawPayload('time')).json;
  for (const time of [activity.createdAt, activity.updatedAt, activity.votes[0]?.createdAt]) {
    expect(time).toEqual({ seconds: expect.stringMatching(/^\d{10}$/), nanos: expect.stringMatching(/^\d+$/) });
    expect(Math.abs(Number(time?.seconds) - Date.now() / 1000)).toBeLessThan(60);
  }
});

test('9. 64-bit integers are strings, 32-bit integers are numbers', async () => {
  const user = { userName: 'expiring', authenticators: [], oauthProviders: [], userTags: [] };
  const apiKeys = [{ ...apiKeyParams(generateApiKey()), expirationSeconds: '3600' }];
  const users = [{ ...user, apiKeys }];
  const { value } = resultOf<{ userIds: [string] }>(
    await submit('create_users', 'ACTIVITY_TYPE_CREATE_USERS_V4', { users }, sub),
  );
  const userId = value.userIds[0];
  const text = JSON.stringify({ organizationId: sub.organizationId, userId });
  expect((await send('query/get_api_keys', text, sub)).json.apiKeys).toMatchObject([{ expirationSeconds: '3600' }]);
  const configs = await send(
    'query/get_organization_configs',
    JSON.stringify({ organizationId: sub.organizationId }),
    sub,
  );
  expect(configs.json.configs).toMatchObject({ quorum: { threshold: 1 } });
  const parameters = { walletName: timestampMs(), accounts: [], mnemonicLength: 15 };
  const { json } = await submit('create_wallet', 'ACTIVITY_TYPE_CREATE_WALLET', parameters, sub);
  expect(json.activity.intent).toMatchObject({ createWalletIntent: { mnemonicLength: 15 } });
});

describe('10. intent and result are named after the version in the body, whatever the path serves besides', () => {
  const passkey = () => createSoftwareAuthenticator({ rpId: service.root.rpId, origin: service.root.origin });
  const keyV1 = () => ({ apiKeyName: 'key', publicKey: generateApiKey().publicKey });
  const keyV2 = () => apiKeyParams(generateApiKey());
  const userV1 = () => ({ userName: 'root', userEmail: 'a@example.com', apiKeys: [keyV1()], authenticators: [] });
  const userV3 = () => ({ ...userV1(), apiKeys: [keyV2()], oauthProviders: [] });
  const authenticator = () => ({ authenticatorName: 'passkey', ...passkey().register() });
  /** The browser's `PublicKeyCredential`, as it was sent before there was a form of Turnkey's own. */
  const authenticatorV1 = (userId: string) => {
    const { challenge, attestation } = passkey().register();
    const { credentialId, ...response } = attestation;
    return {
      authenticatorName: 'passkey',
      userId,
      challenge,
      attestation: { id: credentialId, rawId: credentialId, type: 'public-key', response, clientExtensionResults: {} },
    };
  };
  const common = { subOrganizationName: 'sub', rootQuorumThreshold: 1 };
  const tagged = { userTags: [] };

  const subOrganizations: [type: string, result: string, parameters: () => Json][] = [
    ['', '', () => ({ name: 'sub', rootAuthenticator: authenticator() })],
    ['_V2', '', () => ({ ...common, rootUsers: [userV1()] })],
    ['_V3', 'V3', () => ({ ...common, rootUsers: [userV1()], privateKeys: [privateKey()] })],
    ['_V4', 'V4', () => ({ ...common, rootUsers: [userV1()] })],
    ['_V5', 'V5', () => ({ ...common, rootUsers: [{ ...userV1(), oauthProviders: [] }] })],
    ['_V6', 'V6', () => ({ ...common, rootUsers: [userV3()] })],
    [
      '_V7',
      'V7',
      () => ({ ...common, rootUsers: [{ ...userV3(), userPhoneNumber: '+41791234567' }], disableSmsAuth: true }),
    ],
    ['_V8', 'V8', () => ({ ...common, rootUsers: [{ ...userV3(), userPhoneNumber: '+41791234567' }] })],
  ];
  test.each(subOrganizations)('create_sub_organization%s', async (version, result, parameters) => {
    const type = `ACTIVITY_TYPE_CREATE_SUB_ORGANIZATION${version}`;
    const answer = await submit('create_sub_organization', type, parameters(), root);
    const { key, value } = resultOf(answer);
    expect(key).toBe(`createSubOrganizationResult${result}`);
    expect(value.subOrganizationId).toMatch(/^[0-9a-f-]{36}$/);
    expect(Object.keys(answer.json.activity.intent)).toEqual([`createSubOrganizationIntent${version.slice(1)}`]);
  });

  const privateKey = () => ({
    privateKeyName: timestampMs(),
    curve: 'CURVE_SECP256K1',
    privateKeyTags: [],
    addressFormats: ['ADDRESS_FORMAT_ETHEREUM'],
  });
  const newPrivateKeyId = async () => {
    const parameters = { privateKeys: [privateKey()] };
    const answer = await submit('create_private_keys', 'ACTIVITY_TYPE_CREATE_PRIVATE_KEYS_V2', parameters, sub);
    return resultOf<{ privateKeys: [{ privateKeyId: string }] }>(answer).value.privateKeys[0].privateKeyId;
  };
  const newPolicyId = async (): Promise<string> => {
    const answer = await submit('create_policy', 'ACTIVITY_TYPE_CREATE_POLICY_V3', policy(timestampMs()), sub);
    return resultOf<{ policyId: string }>(answer).value.policyId;
  };
  const unsigned = '02e801808459682f008509d4ae542e8252089440f008f4c17075efca092ae650655f6693aeced00180c0';
  const rawPayloadV1 = async () => {
    const { signWith: _, ...form } = rawPayload();
    return { ...form, privateKeyId: await newPrivateKeyId() };
  };
  const transaction = { type: 'TRANSACTION_TYPE_ETHEREUM', unsignedTransaction: unsigned };

  const others: [name: string, type: string, intent: string, result: string, parameters: () => Json | Promise<Json>][] =
    [
      [
        'create_users',
        '',
        '',
        '',
        () => ({
          users: [
            { ...userV1(), ...tagged, accessType: 'ACCESS_TYPE_ALL', authenticators: [authenticatorV1(sub.userId)] },
          ],
        }),
      ],
      ['create_users', '_V2', 'V2', '', () => ({ users: [{ ...userV1(), ...tagged }] })],
      ['create_users', '_V3', 'V3', '', () => ({ users: [{ ...userV3(), ...tagged }] })],
      ['create_users', '_V4', 'V4', '', () => ({ users: [{ ...userV3(), ...tagged }] })],
      ['create_api_keys', '', '', '', () => ({ userId: sub.userId, apiKeys: [keyV1()] })],
      ['create_api_keys', '_V2', 'V2', '', () => ({ userId: sub.userId, apiKeys: [keyV2()] })],
      [
        'create_authenticators',
        '',
        '',
        '',
        () => ({ userId: sub.userId, authenticators: [authenticatorV1(sub.userId)] }),
      ],
      ['create_authenticators', '_V2', 'V2', '', () => ({ userId: sub.userId, authenticators: [authenticator()] })],
      ['create_private_keys', '', '', '', () => ({ privateKeys: [privateKey()] })],
      ['create_private_keys', '_V2', 'V2', 'V2', () => ({ privateKeys: [privateKey()] })],
      ['create_policy', '_V3', 'V3', '', () => policy(timestampMs())],
      ['update_policy', '', '', '', async () => ({ policyId: await newPolicyId(), policyNotes: 'V1' })],
      ['update_policy', '_V2', 'V2', 'V2', async () => ({ policyId: await newPolicyId(), policyNotes: 'V2' })],
      ['sign_raw_payload', '', '', '', rawPayloadV1],
      ['sign_raw_payload', '_V2', 'V2', '', () => rawPayload()],
      ['sign_transaction', '', '', '', async () => ({ ...transaction, privateKeyId: await newPrivateKeyId() })],
      ['sign_transaction', '_V2', 'V2', '', () => ({ ...transaction, signWith: sub.address })],
    ];
  test.each(others)('%s%s', async (name, version, intent, result, parameters) => {
    const camel = name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
    const answer = await submit(name, `ACTIVITY_TYPE_${name.toUpperCase()}${version}`, await parameters(), sub);
    expect(resultOf(answer).key).toBe(`${camel}Result${result}`);
    expect(Object.keys(answer.json.activity.intent)).toEqual([`${camel}Intent${intent}`]);
  });

  test('the older forms of policies, whose conditions are selectors, are refused in words', async () => {
    const selectors = [{ subject: 'activity.type', operator: 'OPERATOR_EQUAL', target: 'x' }];
    const parameters = { policyName: timestampMs(), effect: 'EFFECT_DENY', notes: '', selectors };
    const answer = await submit('create_policy', 'ACTIVITY_TYPE_CREATE_POLICY', parameters, sub);
    expect(answer).toMatchObject({ status: 501, json: { code: 12, message: expect.stringContaining('selectors') } });
  });
});

/** Every call of a compact client: path, type and the key of the result that it reads. */
function callsOf(from: string): [name: string, type: string, resultKey: string][] {
  const client = join(createRequire(from).resolve('@turnkey/sdk-server'), '../__generated__/sdk-client-base.js');
  const call = /this\.command\("\/public\/v1\/submit\/(\w+)", \{[^}]*?type: "(\w+)",?\s*\}, "(\w+)"\)/g;
  const found = [...readFileSync(client, 'utf8').matchAll(call)];
  return found.map(([, name = '', type = '', resultKey = '']) => [name, type, resultKey] as const) as never;
}

describe('11. and 12. types that the official clients send, and keys that they read', () => {
  const here = createRequire(import.meta.url);
  const current = callsOf(import.meta.url);
  const older = callsOf(here.resolve('@turnkey/ethers'));
  const known = [...current, ...older].filter(([name]) => findActivityByName(name));

  test('are found in two versions of the client', () => {
    expect(current.length).toBeGreaterThan(100);
    expect(older.length).toBeGreaterThan(70);
  });

  test.each(known)('%s: %s → %s', (name, type, resultKey) => {
    expect(findActivity(type)).toMatchObject({ activity: { name }, version: { result: resultKey } });
  });
});

test('13. what signs is completed in the answer', async () => {
  expect((await signRawPayload('now')).json.activity.status).toBe('ACTIVITY_STATUS_COMPLETED');
});

test('14. r and s are 64 hex digits without 0x, v is 00 or 01', async () => {
  const payloads = Array.from({ length: 100 }, (_, index) => index.toString(16).padStart(64, '0'));
  const form = { signWith: sub.address, encoding: 'PAYLOAD_ENCODING_HEXADECIMAL', hashFunction: 'HASH_FUNCTION_NO_OP' };
  const answer = await submit('sign_raw_payloads', 'ACTIVITY_TYPE_SIGN_RAW_PAYLOADS', { ...form, payloads }, sub);
  const { signatures } = resultOf<{ signatures: { r: string; s: string; v: string }[] }>(answer).value;
  expect(signatures).toHaveLength(100);
  for (const [index, { r, s, v }] of signatures.entries()) {
    expect([r, s, v].join()).toMatch(/^[0-9a-f]{64},[0-7][0-9a-f]{63},0[01]$/);
    const signature = { r: `0x${r}`, s: `0x${s}`, yParity: Number(v) } as const;
    expect(await recoverAddress({ hash: `0x${payloads[index]}`, signature })).toBe(sub.address);
  }
  expect(new Set(signatures.map(({ v }) => v))).toEqual(new Set(['00', '01']));
});

const unsignedTransaction = serializeTransaction({
  chainId: 31337,
  type: 'eip1559',
  nonce: 1,
  to: '0x40f008f4c17075efca092ae650655f6693aeced0',
  value: 1n,
  gas: 21_000n,
  maxFeePerGas: 2n,
  maxPriorityFeePerGas: 1n,
}).slice(2);
const signTransaction = (unsigned: string, type = 'TRANSACTION_TYPE_ETHEREUM') => {
  const parameters = { signWith: sub.address, type, unsignedTransaction: unsigned };
  return submit('sign_transaction', 'ACTIVITY_TYPE_SIGN_TRANSACTION_V2', parameters, sub);
};

test('15. hex comes with 0x or without', async () => {
  const payloads = await Promise.all(
    ['0xABcd', '0xabcd', 'abcd'].map(
      async (payload) => resultOf(await signRawPayload(payload, 'PAYLOAD_ENCODING_HEXADECIMAL')).value,
    ),
  );
  expect(payloads[1]).toEqual(payloads[0]);
  expect(payloads[2]).toEqual(payloads[0]);
  const [plain, prefixed] = await Promise.all(
    [unsignedTransaction, `0x${unsignedTransaction}`].map((each) => signTransaction(each)),
  );
  expect(resultOf(prefixed as Answer)).toEqual(resultOf(plain as Answer));
});

test('16. a signed transaction is hex without 0x', async () => {
  const answer = await signTransaction(unsignedTransaction);
  const { signedTransaction } = resultOf<{ signedTransaction: string }>(answer).value;
  expect(signedTransaction).toMatch(/^02[0-9a-f]+$/);
  expect(parseTransaction(`0x${signedTransaction}`)).toMatchObject({ nonce: 1, value: 1n, r: expect.any(String) });
});

test('17. a denial is 403 with code 7 and a list of details', async () => {
  // One without the policies that other tests make.
  const own = await newSubOrganization(service.client());
  const key = generateApiKey();
  const user = {
    userName: 'nobody',
    apiKeys: [apiKeyParams(key)],
    authenticators: [],
    oauthProviders: [],
    userTags: [],
  };
  const { value } = resultOf<{ userIds: [string] }>(
    await submit('create_users', 'ACTIVITY_TYPE_CREATE_USERS_V4', { users: [user] }, own),
  );
  const stranger = { organizationId: own.organizationId, userId: value.userIds[0], key };
  const answer = await submit('sign_raw_payload', 'ACTIVITY_TYPE_SIGN_RAW_PAYLOAD_V2', rawPayload(), stranger);
  expect(answer).toMatchObject({ status: 403, json: { code: 7, details: [] } });
  expect(answer.json.message).toMatch(/^request not authorized/);
});

describe('18. errors are google.rpc.Status', () => {
  const stamped = (path: string, text: string) => () => send(path, text, sub);
  const query = (body: object) => JSON.stringify({ organizationId: sub.organizationId, ...body });
  const unknownId = '00000000-0000-4000-8000-000000000000';

  test.each<[string, number, number, string, () => Promise<Answer>]>([
    ['no JSON', 400, 3, 'bad request body', stamped('query/whoami', 'no JSON')],
    ['an empty body', 400, 3, 'bad request body', stamped('query/whoami', '')],
    [
      'an id that is none',
      400,
      3,
      'malformed organization ID provided',
      stamped('query/whoami', '{"organizationId":"x"}'),
    ],
    [
      'no organization',
      404,
      5,
      'no organization found with the given ID',
      stamped('query/whoami', `{"organizationId":"${unknownId}"}`),
    ],
    [
      'no stamp',
      401,
      16,
      'cannot authenticate public API activity request without a stamp (X-Stamp/X-Stamp-Webauthn header)',
      () => post(url('query/whoami'), query({})),
    ],
    [
      'a stamp that is none',
      401,
      16,
      'could not extract api key stamp',
      () => post(url('query/whoami'), query({}), { 'X-Stamp': 'e30' }),
    ],
    [
      'a passkey stamp that is none',
      401,
      16,
      'could not extract webauthn stamp',
      () => post(url('query/whoami'), query({}), { 'X-Stamp-Webauthn': '{}' }),
    ],
    [
      'a key of nobody',
      401,
      16,
      'could not find public key in organization or its parent organization',
      () => whoami({ ...sub, key: generateApiKey() }),
    ],
    [
      'a parent that submits',
      400,
      3,
      'organization mismatch: request is targeting organization',
      () =>
        submit('sign_raw_payload', 'ACTIVITY_TYPE_SIGN_RAW_PAYLOAD_V2', rawPayload(), {
          ...root,
          organizationId: sub.organizationId,
        }),
    ],
    ['a user who is not there', 404, 5, '', () => send('query/get_user', query({ userId: unknownId }), sub)],
    ['no such endpoint', 404, 12, '', () => send('query/get_tvc_app', query({}), sub)],
    ['no such activity', 404, 12, '', () => submit('stamp_login', 'ACTIVITY_TYPE_STAMP_LOGIN', {}, sub)],
    [
      'a type of another path',
      400,
      3,
      'bad request body',
      () => submit('create_wallet', 'ACTIVITY_TYPE_CREATE_POLICY_V3', {}, sub),
    ],
    [
      'a field that is not known',
      400,
      3,
      '',
      () =>
        submit('create_wallet', 'ACTIVITY_TYPE_CREATE_WALLET', { walletName: 'w', accounts: [], hidden: true }, sub),
    ],
    [
      'an encoding that is none',
      400,
      3,
      'invalid payload encoding',
      () => signRawPayload('x', 'PAYLOAD_ENCODING_NONE'),
    ],
    [
      'a chain that is not there yet',
      501,
      12,
      'TRANSACTION_TYPE_SOLANA',
      () => signTransaction('00', 'TRANSACTION_TYPE_SOLANA'),
    ],
    ['a transaction that is none', 400, 3, 'failed to parse transaction', () => signTransaction('02c0')],
  ])('%s: %i, code %i', async (_, status, code, message, request) => {
    const answer = await request();
    expect(answer).toMatchObject({ status, json: { code, details: expect.any(Array) } });
    expect(answer.json.message).toContain(message);
    expect(answer.headers['content-type']).toBe('application/json');
  });

  test('a code of Turnkey is in the details', async () => {
    const answer = await submit('sign_raw_payload', 'ACTIVITY_TYPE_SIGN_RAW_PAYLOAD_V2', rawPayload(), {
      ...root,
      organizationId: sub.organizationId,
    });
    expect(answer.json.details).toEqual([
      { '@type': 'type.googleapis.com/errors.v1.TurnkeyErrorDetail', turnkeyErrorCode: 'ORGANIZATION_MISMATCH' },
    ]);
  });
});

describe('19. signatures of stamps have a high S or a low one', () => {
  const orders = {
    P256: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
    SECP256K1: 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n,
  };
  const compressed = (key: KeyObject): string => {
    const { x = '', y = '' } = key.export({ format: 'jwk' });
    const [px, py] = [x, y].map((part) => Buffer.from(part, 'base64url')) as [Buffer, Buffer];
    return `0${2 + ((py.at(-1) as number) & 1)}${px.toString('hex')}`;
  };
  const derInteger = (value: bigint): Buffer => {
    const hex = value.toString(16);
    const even = hex.length % 2 ? `0${hex}` : hex;
    const bytes = Buffer.from(Number.parseInt(even.slice(0, 2), 16) > 127 ? `00${even}` : even, 'hex');
    return Buffer.concat([Buffer.of(2, bytes.length), bytes]);
  };
  const der = (r: bigint, s: bigint): string => {
    const body = Buffer.concat([derInteger(r), derInteger(s)]);
    return Buffer.concat([Buffer.of(0x30, body.length), body]).toString('hex');
  };

  test.each([
    ['P256', 'prime256v1'],
    ['SECP256K1', 'secp256k1'],
  ] as const)('%s', async (name, namedCurve) => {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve });
    const key = { apiKeyName: name, publicKey: compressed(publicKey), curveType: `API_KEY_CURVE_${name}` };
    await submit('create_api_keys', 'ACTIVITY_TYPE_CREATE_API_KEYS_V2', { userId: sub.userId, apiKeys: [key] }, sub);
    const body = JSON.stringify({ organizationId: sub.organizationId });
    const raw = sign('sha256', Buffer.from(body), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('hex');
    const [r, s] = [raw.slice(0, 64), raw.slice(64)].map((part) => BigInt(`0x${part}`)) as [bigint, bigint];
    for (const signature of [der(r, s), der(r, orders[name] - s)]) {
      const stamp = { publicKey: key.publicKey, scheme: `SIGNATURE_SCHEME_TK_API_${name}`, signature };
      const value = Buffer.from(JSON.stringify(stamp)).toString('base64url');
      expect(await post(url('query/whoami'), body, { 'X-Stamp': value })).toMatchObject({
        status: 200,
        json: { userId: sub.userId },
      });
    }
  });
});

describe('20. and 21. the headers of stamps', () => {
  const passkey = () => createSoftwareAuthenticator({ rpId: service.root.rpId, origin: service.root.origin });
  const withPasskey = async () => {
    const authenticator = passkey();
    const authenticators = [{ authenticatorName: 'passkey', ...authenticator.register() }];
    const user = { userName: 'root', apiKeys: [], authenticators, oauthProviders: [] };
    const parameters = { subOrganizationName: 'passkey', rootQuorumThreshold: 1, rootUsers: [user] };
    const answer = await submit(
      'create_sub_organization',
      'ACTIVITY_TYPE_CREATE_SUB_ORGANIZATION_V8',
      parameters,
      root,
    );
    const { subOrganizationId: organizationId } = resultOf<{ subOrganizationId: string }>(answer).value;
    return { authenticator, body: JSON.stringify({ organizationId }) };
  };

  test('X-Stamp is base64url with padding or without, in any case of its name', async () => {
    const body = JSON.stringify({ organizationId: sub.organizationId });
    const { 'X-Stamp': value = '' } = await stampOf(body, sub);
    const text = Buffer.from(value, 'base64url').toString();
    // Spaces at its end change the padding, and not what the JSON says.
    const values = ['', ' ', '  '].map((spaces) => Buffer.from(text + spaces).toString('base64url'));
    const padded = values.map((each) => each.padEnd(Math.ceil(each.length / 4) * 4, '='));
    expect(padded.filter((each) => each.endsWith('='))).toHaveLength(2);
    for (const each of [...values, ...padded]) {
      expect((await post(url('query/whoami'), body, { 'x-STAMP': each })).status).toBe(200);
    }
  });

  test('X-Stamp-Webauthn is JSON, and the challenge is the text of the digest', async () => {
    const { authenticator, body } = await withPasskey();
    const { value } = authenticator.stamp(body);
    expect((await post(url('query/whoami'), body, { 'x-stamp-WEBAUTHN': value })).status).toBe(200);
    const clientData = Buffer.from(JSON.parse(value).clientDataJson, 'base64url').toString();
    const digest = createHash('sha256').update(body).digest('hex');
    expect(Buffer.from(JSON.parse(clientData).challenge, 'base64url').toString()).toBe(digest);
  });

  test('the digest itself is no challenge', async () => {
    const { authenticator, body } = await withPasskey();
    const challenge = createHash('sha256').update(body).digest('base64url');
    const { value } = authenticator.stamp(body, { clientData: { challenge } });
    const answer = await post(url('query/whoami'), body, { 'X-Stamp-Webauthn': value });
    expect(answer).toMatchObject({ status: 401, json: { code: 16, message: 'could not verify WebAuthN signature' } });
  });

  test('user verification is not needed', async () => {
    const { authenticator, body } = await withPasskey();
    const { value } = authenticator.stamp(body, { flags: 1 });
    expect((await post(url('query/whoami'), body, { 'X-Stamp-Webauthn': value })).status).toBe(200);
  });
});

test('24. browsers of any origin may send the headers of stamps', async () => {
  const asked = 'content-type,x-client-version,x-stamp,x-stamp-webauthn,x-stamp-attested,x-session';
  const preflight = await post(
    url('submit/sign_raw_payload'),
    '',
    { Origin: 'https://app.example', 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': asked },
    'OPTIONS',
  );
  expect(preflight.status).toBe(204);
  expect(preflight.headers['access-control-allow-origin']).toBe('*');
  expect(preflight.headers['access-control-allow-methods']).toContain('POST');
  const allowed = preflight.headers['access-control-allow-headers']?.toLowerCase().split(/, */);
  expect(allowed).toEqual(expect.arrayContaining(asked.split(',')));
  for (const answer of [await whoami(sub), await post(url('query/whoami'), '{}')]) {
    expect(answer.headers['access-control-allow-origin']).toBe('*');
  }
});
