/** What is seen of activities that wait for authenticators, or are beyond a key's scope, on the whole enclave. */
import { serializeTransaction } from 'viem';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { generateApiKey, makeApiKeyStamp } from '../../../src/stamping/make-api-key-stamp.ts';
import { type EnclaveInMemory, startEnclave } from '../../support/enclave-in-memory.ts';
import { createResident, type Resident, signing } from '../../support/resident.ts';
import { activityBody, type Caller, query, resultOf, submit } from '../../support/wire.ts';

let enclave: EnclaveInMemory;
let owner: Resident;
beforeAll(async () => {
  enclave = await startEnclave();
});
afterAll(() => enclave.remove());
beforeEach(async () => {
  owner = await createResident(enclave.wire, enclave.parent, 'owner');
});

const needed = 'ACTIVITY_STATUS_AUTHENTICATORS_NEEDED';
const step = (type: string) => ({ any: [{ type: `AUTHENTICATION_TYPE_${type}` }] });
const ask = async (name: string, parameters: object) =>
  (await query(enclave.wire, owner.byPasskey, name, parameters)).body;
const requireMfa = async (condition: string) =>
  resultOf(
    await submit(enclave.wire, owner.byPasskey, 'create_mfa_policy', 'CREATE_MFA_POLICY', {
      ...{ userId: owner.userId, mfaPolicyName: 'two', condition, order: 0 },
      requiredAuthenticationMethods: [step('PASSKEY'), step('API_KEY')],
    }),
  ).mfaPolicyId as string;
const sign = (caller: Caller) =>
  submit(enclave.wire, caller, 'sign_raw_payload', 'SIGN_RAW_PAYLOAD_V2', signing(owner.addresses[0]));

test('what waits says so wherever it is asked about', async () => {
  const mfaPolicyId = await requireMfa("activity.action == 'SIGN'");
  const asked = await sign(owner.byPasskey);
  const { id: activityId, fingerprint } = asked.body.activity as unknown as { id: string; fingerprint: string };
  expect(asked).toMatchObject({ status: 200, body: { activity: { status: needed, canApprove: true, result: {} } } });
  expect((await ask('list_activities', { filterByStatus: [needed] })).activities).toMatchObject([{ id: activityId }]);
  expect(await ask('explain_activity', { activityId })).toMatchObject({
    status: needed,
    decision: { outcome: 'OUTCOME_REQUIRES_AUTHENTICATORS', decidedBy: null },
    explanation: { pending: true, reason: 'an MFA policy asks for more authenticators' },
  });
  const statuses = [
    {
      mfaPolicyId,
      userId: owner.userId,
      satisfied: false,
      satisfiedMethods: step('PASSKEY').any,
      requiredMethods: [step('PASSKEY'), step('API_KEY')],
    },
  ];
  expect(await ask('get_mfa_status', { activityId })).toEqual({ mfaStatuses: statuses });
  expect(await ask('get_mfa_status', { activityId, userId: owner.userId })).toEqual({ mfaStatuses: statuses });
  const nobody = '00000000-0000-4000-8000-000000000000';
  expect(await ask('get_mfa_status', { activityId, userId: nobody })).toEqual({ mfaStatuses: [] });
  expect((await query(enclave.wire, owner.byPasskey, 'get_mfa_status', { activityId: nobody })).status).toBe(404);

  await submit(enclave.wire, owner.byApiKey, 'approve_activity', 'APPROVE_ACTIVITY', { fingerprint });
  expect(await ask('get_mfa_status', { activityId })).toEqual({ mfaStatuses: [] });
  expect(await ask('explain_activity', { activityId })).toMatchObject({
    decision: { outcome: 'OUTCOME_ALLOW', decidedBy: 'root-quorum' },
  });
});

test('a dry run tells beforehand', async () => {
  await requireMfa("activity.action == 'SIGN'");
  const activity = { type: 'ACTIVITY_TYPE_SIGN_RAW_PAYLOAD_V2', parameters: signing(owner.addresses[0]) };
  expect(await ask('dry_run', { activity })).toMatchObject({
    ...{ allowed: false, pending: true, reason: 'an MFA policy asks for more authenticators' },
  });
});

test('who would be denied anyway is denied at once', async () => {
  await requireMfa('true');
  const guard = { policyName: 'g', effect: 'EFFECT_GUARD', condition: "activity.action == 'SIGN'", notes: '' };
  const asked = await submit(enclave.wire, owner.byPasskey, 'create_policy', 'CREATE_POLICY_V3', guard);
  const { fingerprint } = asked.body.activity as unknown as { fingerprint: string };
  resultOf(await submit(enclave.wire, owner.byApiKey, 'approve_activity', 'APPROVE_ACTIVITY', { fingerprint }));
  expect(await sign(owner.byPasskey)).toMatchObject({
    status: 403,
    body: { message: 'policy engine denied request explicitly' },
  });
});

test('a limit over time asks for the second authenticator beyond it', async () => {
  await requireMfa("activity.action == 'SIGN' && spent('eip155:1', '24h') + spending('eip155:1') > 15000000000000000");
  const pay = (nonce: number) =>
    submit(enclave.wire, owner.byPasskey, 'sign_transaction', 'SIGN_TRANSACTION_V2', {
      signWith: owner.addresses[0],
      unsignedTransaction: serializeTransaction({
        ...({ chainId: 1, type: 'eip1559', gas: 21_000n, nonce, value: 10n ** 16n } as const),
        to: '0x000000000000000000000000000000000000dead',
      }).slice(2),
      type: 'TRANSACTION_TYPE_ETHEREUM',
    });
  expect((await pay(1)).body.activity?.status).toBe('ACTIVITY_STATUS_COMPLETED');
  expect((await pay(2)).body.activity?.status).toBe(needed);
  await enclave.restart();
  expect((await pay(3)).body.activity?.status).toBe(needed);
});

test('a denial beyond the scope says why, and is explained to who asks', async () => {
  const profile = { sessionProfileName: 'p', scope: "activity.kind == 'CREATE_WALLET'" };
  const { sessionProfileId } = resultOf(
    await submit(enclave.wire, owner.byPasskey, 'create_session_profile', 'CREATE_SESSION_PROFILE', profile),
  );
  const key = generateApiKey();
  const apiKeys = [{ apiKeyName: 'k', publicKey: key.publicKey, curveType: 'API_KEY_CURVE_P256', sessionProfileId }];
  resultOf(
    await submit(enclave.wire, owner.byPasskey, 'create_api_keys', 'CREATE_API_KEYS_V2', {
      userId: owner.userId,
      apiKeys,
    }),
  );
  const held = (await ask('get_api_keys', { userId: owner.userId })).apiKeys as { credential: object }[];
  expect(held.at(-1)?.credential).toEqual({
    ...{ publicKey: key.publicKey, type: 'CREDENTIAL_TYPE_API_KEY_P256', sessionProfileId },
  });
  const body = activityBody(owner.organizationId, 'ACTIVITY_TYPE_SIGN_RAW_PAYLOAD_V2', signing(owner.addresses[0]));
  const stamp = makeApiKeyStamp(body, key);
  const denied = await enclave.wire({ kind: 'submit', name: 'sign_raw_payload', body, stamp, explain: true });
  expect(denied).toMatchObject({
    status: 403,
    body: {
      message: 'request not authorized: this is beyond the scope of the session',
      details: [{ explanation: { reason: 'this is beyond the scope of the session', pending: false } }],
    },
  });
});
