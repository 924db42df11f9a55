/** Attackers against MFA policies and scoped keys: who has one authenticator, a session's key, the parent, or the database. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { generateApiKey, makeApiKeyStamp } from '../../src/stamping/make-api-key-stamp.ts';
import { type EnclaveInMemory, startEnclave } from '../support/enclave-in-memory.ts';
import { hex } from '../support/memory-storage.ts';
import { addUser, createResident, newPasskey, type Resident, signing } from '../support/resident.ts';
import {
  activityBody,
  type Caller,
  query,
  reasonOf,
  resultOf,
  submit,
  type WireAnswer,
  type WireBody,
} from '../support/wire.ts';

let enclave: EnclaveInMemory;
beforeAll(async () => {
  enclave = await startEnclave();
});
afterAll(() => enclave.remove());

let owner: Resident;
beforeEach(async () => {
  owner = await createResident(enclave.wire, enclave.parent, 'owner');
});

const needed = 'ACTIVITY_STATUS_AUTHENTICATORS_NEEDED';
const completed = 'ACTIVITY_STATUS_COMPLETED';
const statusOf = ({ body }: WireAnswer) => body.activity?.status ?? body.message;
const fingerprintOf = ({ body }: WireAnswer) => (body.activity as unknown as { fingerprint: string }).fingerprint;

const act = (caller: Caller, type: string, parameters: object) => {
  const name = type.toLowerCase().replace(/_v\d+$/, '');
  return submit(enclave.wire, caller, name, type, parameters);
};
const sign = (caller: Caller) => act(caller, 'SIGN_RAW_PAYLOAD_V2', signing(owner.addresses[0]));
const approve = (caller: Caller, asked: WireAnswer) =>
  act(caller, 'APPROVE_ACTIVITY', { fingerprint: fingerprintOf(asked) });

const step = (...types: string[]) => ({ any: types.map((type) => ({ type: `AUTHENTICATION_TYPE_${type}` })) });
const both = [step('PASSKEY'), step('API_KEY')];
const mfaPolicy = (condition: string, requiredAuthenticationMethods: object[] = both, order = 5) => ({
  ...{ userId: owner.userId, mfaPolicyName: 'two factors', condition, requiredAuthenticationMethods, order },
});
const requireMfa = async (...given: Parameters<typeof mfaPolicy>) =>
  resultOf(await act(owner.byPasskey, 'CREATE_MFA_POLICY', mfaPolicy(...given))).mfaPolicyId as string;

/** A key of the owner's that is good for `scope` only. */
async function scopedKey(scope: string, expirationSeconds?: string, profileOf: Caller = owner.byPasskey) {
  const { sessionProfileId } = resultOf(
    await act(profileOf, 'CREATE_SESSION_PROFILE', { sessionProfileName: 'profile', scope, expirationSeconds }),
  );
  const key = generateApiKey();
  const apiKeys = [
    { apiKeyName: 'session', publicKey: key.publicKey, curveType: 'API_KEY_CURVE_P256', sessionProfileId },
  ];
  resultOf(await act(owner.byPasskey, 'CREATE_API_KEYS_V2', { userId: owner.userId, apiKeys }));
  const caller: Caller = { organizationId: owner.organizationId, stamp: (body) => makeApiKeyStamp(body, key) };
  return { caller, sessionProfileId: sessionProfileId as string, publicKey: key.publicKey };
}

describe('one authenticator', () => {
  test('does not count twice, however it is shown', async () => {
    await requireMfa("activity.action == 'SIGN'");
    const asked = await sign(owner.byPasskey);
    expect(statusOf(asked)).toBe(needed);
    expect(statusOf(await approve(owner.byPasskey, asked))).toBe(needed);
    const body = activityBody(owner.organizationId, 'ACTIVITY_TYPE_APPROVE_ACTIVITY', {
      fingerprint: fingerprintOf(asked),
    });
    const stamp = owner.byPasskey.stamp(body);
    for (let time = 0; time < 2; time++) {
      expect(statusOf(await enclave.wire({ kind: 'submit', name: 'approve_activity', body, stamp }))).toBe(needed);
    }
    expect(statusOf(await approve(owner.byApiKey, asked))).toBe(completed);
  });

  test('does not count for two steps', async () => {
    await requireMfa("activity.action == 'SIGN'", [step('PASSKEY', 'API_KEY'), step('API_KEY', 'PASSKEY')]);
    const asked = await sign(owner.byApiKey);
    expect(statusOf(asked)).toBe(needed);
    expect(statusOf(await approve(owner.byApiKey, asked))).toBe(needed);
    expect(statusOf(await approve(owner.byPasskey, asked))).toBe(completed);
  });

  test('of another user or another organization is none of these', async () => {
    await requireMfa("activity.action == 'SIGN'");
    const [agent, stranger] = [
      await addUser(enclave.wire, owner.byPasskey, 'agent'),
      await createResident(enclave.wire, enclave.parent, 'stranger'),
    ];
    const asked = await sign(owner.byPasskey);
    expect(reasonOf(await approve(agent, asked))).toBe('AUTHENTICATORS_NEEDED');
    for (const caller of [stranger.byApiKey, { ...stranger.byApiKey, organizationId: owner.organizationId }]) {
      expect((await approve(caller, asked)).status).toBeGreaterThan(400);
    }
    expect((await approve({ ...enclave.parent, organizationId: owner.organizationId }, asked)).status).toBe(400);
    expect(statusOf(await approve(owner.byPasskey, asked))).toBe(needed);
  });

  test('that is removed in between does not count any more', async () => {
    await requireMfa("activity.action == 'SIGN'");
    const asked = await sign(owner.byApiKey);
    const { apiKeys } = (await query(enclave.wire, owner.byPasskey, 'get_api_keys')).body as unknown as {
      apiKeys: { apiKeyId: string }[];
    };
    const apiKeyIds = apiKeys.map(({ apiKeyId }) => apiKeyId);
    resultOf(await act(owner.byPasskey, 'DELETE_API_KEYS', { userId: owner.userId, apiKeyIds }));
    expect(statusOf(await approve(owner.byPasskey, asked))).toBe(needed);
  });

  test('cannot lift the policy, loosen it, or put another before it', async () => {
    const mfaPolicyId = await requireMfa("activity.action == 'SIGN'");
    const { userId } = owner;
    const tries: [string, object][] = [
      ['DELETE_MFA_POLICY', { userId, mfaPolicyId }],
      ['UPDATE_MFA_POLICY', { userId, mfaPolicyId, condition: 'false' }],
      ['UPDATE_MFA_POLICY', { userId, mfaPolicyId, requiredAuthenticationMethods: [step('PASSKEY')] }],
      ['UPDATE_MFA_POLICY', { userId, mfaPolicyId, order: 9 }],
      ['CREATE_MFA_POLICY', mfaPolicy('true', [step('PASSKEY')], 4)],
    ];
    for (const [type, parameters] of tries) {
      expect(statusOf(await act(owner.byPasskey, type, parameters)), type).toBe(needed);
    }
    expect(statusOf(await sign(owner.byPasskey))).toBe(needed);
    // What loosens nothing needs no more.
    expect(statusOf(await act(owner.byPasskey, 'UPDATE_MFA_POLICY', { userId, mfaPolicyId, notes: 'kept' }))).toBe(
      completed,
    );
    expect(statusOf(await act(owner.byPasskey, 'CREATE_MFA_POLICY', mfaPolicy('true', both, 6)))).toBe(completed);
    // And both together may.
    const asked = await act(owner.byPasskey, 'UPDATE_MFA_POLICY', { userId, mfaPolicyId, order: 1 });
    expect(statusOf(await approve(owner.byApiKey, asked))).toBe(completed);
  });

  test('cannot get past it by what the condition cannot be asked about', async () => {
    // Beyond the end of the text there is nothing to compare: an error is no way out.
    await requireMfa("activity.type[0..999] == 'x'");
    expect(statusOf(await sign(owner.byPasskey))).toBe(needed);
  });

  test('of the root user is not enough where a policy or the root quorum allows', async () => {
    await requireMfa('true');
    expect(statusOf(await act(owner.byPasskey, 'UPDATE_ORGANIZATION_NAME', { organizationName: 'mine' }))).toBe(needed);
    expect(statusOf(await act(owner.byPasskey, 'CREATE_API_KEYS_V2', newKey()))).toBe(needed);
    expect(statusOf(await act(owner.byPasskey, 'CREATE_AUTHENTICATORS_V2', newAuthenticator()))).toBe(needed);
  });

  const newKey = () => ({
    userId: owner.userId,
    apiKeys: [{ apiKeyName: 'mine', publicKey: generateApiKey().publicKey, curveType: 'API_KEY_CURVE_P256' }],
  });
  const newAuthenticator = () => ({
    userId: owner.userId,
    authenticators: [{ authenticatorName: 'mine', ...newPasskey().register() }],
  });
});

describe('with others', () => {
  test('nobody approves before who started it has shown all, and no approver counts with less', async () => {
    const agent = await addUser(enclave.wire, owner.byPasskey, 'agent');
    resultOf(await act(owner.byPasskey, 'UPDATE_ROOT_QUORUM', { threshold: 2, userIds: [owner.userId, agent.userId] }));
    const second = await addUserMfa(agent);
    // The owner starts, with one of two.
    const asked = await sign(owner.byPasskey);
    expect(statusOf(asked)).toBe(needed);
    expect(reasonOf(await approve(agent, asked))).toBe('AUTHENTICATORS_NEEDED');
    expect(statusOf(await approve(owner.byApiKey, asked))).toBe('ACTIVITY_STATUS_CONSENSUS_NEEDED');
    expect(statusOf(await approve(agent, asked))).toBe(completed);
    // The agent starts; the owner's vote needs both.
    const another = await sign(agent);
    expect(statusOf(another)).toBe('ACTIVITY_STATUS_CONSENSUS_NEEDED');
    expect(statusOf(await approve(owner.byPasskey, another))).toBe(needed);
    expect(statusOf(await approve(agent, another))).not.toBe(completed);
    const { mfaStatuses } = (
      await query(enclave.wire, agent, 'get_mfa_status', { activityId: another.body.activity?.id })
    ).body as { mfaStatuses: object[] };
    expect(mfaStatuses).toEqual([
      {
        ...{ mfaPolicyId: second, userId: owner.userId, satisfied: false, requiredMethods: both },
        satisfiedMethods: [{ type: 'AUTHENTICATION_TYPE_PASSKEY' }],
      },
    ]);
    expect(statusOf(await approve(owner.byApiKey, another))).toBe(completed);
  });

  /** The owner's policy, which now takes two to make. */
  async function addUserMfa(agent: Caller): Promise<string> {
    const asked = await act(owner.byPasskey, 'CREATE_MFA_POLICY', mfaPolicy("activity.action == 'SIGN'"));
    return resultOf(await approve(agent, asked)).mfaPolicyId as string;
  }
});

describe('the key of a session', () => {
  test('does nothing beyond its scope, and does not widen itself', async () => {
    const { caller, publicKey } = await scopedKey("activity.action == 'SIGN'");
    const mfaPolicyId = await requireMfa("activity.kind == 'SIGN_TRANSACTION'");
    const { userId } = owner;
    expect(statusOf(await sign(caller))).toBe(completed);
    const users = [{ userName: 'mine', apiKeys: [{ apiKeyName: 'k', publicKey: generateApiKey().publicKey }] }];
    const apiKeys = [{ apiKeyName: 'wide', publicKey: generateApiKey().publicKey, curveType: 'API_KEY_CURVE_P256' }];
    const tries: [string, object][] = [
      ['CREATE_API_KEYS_V2', { userId, apiKeys }],
      [
        'CREATE_AUTHENTICATORS_V2',
        { userId, authenticators: [{ authenticatorName: 'p', ...newPasskey().register() }] },
      ],
      ['CREATE_USERS_V2', { users: users.map((user) => ({ ...user, authenticators: [] })) }],
      ['CREATE_SESSION_PROFILE', { sessionProfileName: 'wide', scope: 'true' }],
      ['CREATE_POLICY_V3', { policyName: 'all', effect: 'EFFECT_ALLOW', condition: 'true', notes: '' }],
      ['UPDATE_ROOT_QUORUM', { threshold: 1, userIds: [userId] }],
      ['DELETE_MFA_POLICY', { userId, mfaPolicyId }],
    ];
    for (const [type, parameters] of tries) {
      const answer = await act(caller, type, parameters);
      expect([answer.status, answer.body.message], type).toEqual([
        403,
        'request not authorized: this is beyond the scope of the session',
      ]);
    }
    // The same key cannot be made another one with a wider scope, or none.
    const again = [{ apiKeyName: 'again', publicKey, curveType: 'API_KEY_CURVE_P256' }];
    expect((await act(owner.byPasskey, 'CREATE_API_KEYS_V2', { userId, apiKeys: again })).status).toBe(400);
  });

  test('votes about nothing beyond its scope, neither yes nor no', async () => {
    const { caller } = await scopedKey("activity.action != 'EXPORT' && activity.resource != 'USER'");
    const agent = await addUser(enclave.wire, owner.byPasskey, 'agent');
    resultOf(await act(owner.byPasskey, 'UPDATE_ROOT_QUORUM', { threshold: 2, userIds: [owner.userId, agent.userId] }));
    const rename = (userName: string) => act(agent, 'UPDATE_USER_NAME', { userId: agent.userId, userName });
    const asked = await rename('other');
    expect(statusOf(asked)).toBe('ACTIVITY_STATUS_CONSENSUS_NEEDED');
    expect((await approve(caller, asked)).status).toBe(403);
    expect((await act(caller, 'REJECT_ACTIVITY', { fingerprint: fingerprintOf(asked) })).status).toBe(403);
    const signature = await sign(agent);
    expect(statusOf(await approve(caller, signature))).toBe(completed);
    expect(statusOf(await approve(owner.byPasskey, asked))).toBe(completed);
  });

  test('is no session to an MFA policy that asks for one, and none by being made with a profile', async () => {
    const { sessionProfileId } = await scopedKey("activity.action == 'SIGN'");
    const method = { type: 'AUTHENTICATION_TYPE_SESSION', id: sessionProfileId };
    const answer = await act(
      owner.byPasskey,
      'CREATE_MFA_POLICY',
      mfaPolicy('true', [{ any: [method, { type: 'AUTHENTICATION_TYPE_PASSKEY' }] }, step('API_KEY')]),
    );
    expect(statusOf(answer)).toBe(completed);
  });

  test('ends with its time, and so does its vote; its profile has the last word on how long', async () => {
    const { caller } = await scopedKey("activity.action == 'SIGN'", '2');
    const agent = await addUser(enclave.wire, owner.byPasskey, 'agent');
    resultOf(await act(owner.byPasskey, 'UPDATE_ROOT_QUORUM', { threshold: 2, userIds: [owner.userId, agent.userId] }));
    const asked = await sign(caller);
    expect(statusOf(asked)).toBe('ACTIVITY_STATUS_CONSENSUS_NEEDED');
    await sleep(2100);
    expect(reasonOf(await sign(caller))).toBe('API_KEY_EXPIRED');
    expect(statusOf(await approve(agent, asked))).toBe('ACTIVITY_STATUS_CONSENSUS_NEEDED');
    expect(statusOf(await approve(owner.byPasskey, asked))).toBe(completed);
  });

  test('takes the profile of the parent as it is, and nobody changes it', async () => {
    const { caller, sessionProfileId } = await scopedKey("activity.action == 'SIGN'", undefined, enclave.parent);
    expect(statusOf(await sign(caller))).toBe(completed);
    expect((await act(caller, 'CREATE_WALLET', { walletName: 'w', accounts: [] })).status).toBe(403);
    for (const name of ['update_session_profile', 'delete_session_profile']) {
      const type = name.toUpperCase();
      const given = { sessionProfileId, scope: 'true' };
      expect((await submit(enclave.wire, enclave.parent, name, type, given)).status).toBe(404);
    }
    const { sessionProfiles } = (await query(enclave.wire, caller, 'get_session_profiles')).body as {
      sessionProfiles: { sessionProfileId: string }[];
    };
    expect(sessionProfiles.filter((profile) => profile.sessionProfileId === sessionProfileId)).toHaveLength(1);
    // The profile of another sub-organization is none here.
    const stranger = await createResident(enclave.wire, enclave.parent, 'stranger');
    const theirs = resultOf(
      await act(stranger.byPasskey, 'CREATE_SESSION_PROFILE', { sessionProfileName: 's', scope: 'true' }),
    );
    const key = { apiKeyName: 'k', publicKey: generateApiKey().publicKey, curveType: 'API_KEY_CURVE_P256' };
    const apiKeys = [{ ...key, sessionProfileId: theirs.sessionProfileId }];
    expect((await act(owner.byPasskey, 'CREATE_API_KEYS_V2', { userId: owner.userId, apiKeys })).status).toBe(404);
  });
});

describe('the parent and the database', () => {
  test('the parent neither lifts nor sets what a user needs', async () => {
    const mfaPolicyId = await requireMfa("activity.action == 'SIGN'");
    const inside = { ...enclave.parent, organizationId: owner.organizationId };
    for (const [type, parameters] of [
      ['DELETE_MFA_POLICY', { userId: owner.userId, mfaPolicyId }],
      ['UPDATE_MFA_POLICY', { userId: owner.userId, mfaPolicyId, condition: 'false' }],
      ['CREATE_MFA_POLICY', mfaPolicy('true', [step('PASSKEY')], 0)],
      ['CREATE_SESSION_PROFILE', { sessionProfileName: 'wide', scope: 'true' }],
    ] as const) {
      expect(reasonOf(await act(inside, type, parameters))).toBe('ORGANIZATION_MISMATCH');
    }
    expect(statusOf(await sign(owner.byPasskey))).toBe(needed);
  });

  test('the database cannot bring back the time before, and what waits survives a restart', async () => {
    const before = ownPages();
    await requireMfa("activity.action == 'SIGN'");
    const asked = await sign(owner.byPasskey);
    const now = ownPages();
    const mixed = now.map(([key, row]) => {
      const isUsers = (row as unknown as { kind: string }).kind === 'users';
      return isUsers ? (before.find(([each]) => each === key) ?? [key, row]) : [key, row];
    }) as typeof now;
    for (const shown of [before, mixed]) {
      show(shown);
      await enclave.restart();
      expect((await sign(owner.byPasskey)).status).toBe(503);
    }
    show(now);
    await enclave.restart();
    expect(statusOf(await approve(owner.byPasskey, asked))).toBe(needed);
    expect(statusOf(await approve(owner.byApiKey, asked))).toBe(completed);
  });

  test('an api cannot turn a second authenticator to another activity, or show one again', async () => {
    await requireMfa("activity.action == 'SIGN'");
    const [first, second] = [await sign(owner.byPasskey), await sign(owner.byPasskey)];
    const fingerprint = fingerprintOf(first);
    const body = activityBody(owner.organizationId, 'ACTIVITY_TYPE_APPROVE_ACTIVITY', { fingerprint });
    const stamp = owner.byApiKey.stamp(body);
    const send = (shown: string): Promise<{ status: number; body: WireBody }> =>
      enclave.wire({ kind: 'submit', name: 'approve_activity', body: shown, stamp });
    expect(reasonOf(await send(body.replace(fingerprint, fingerprintOf(second))))).toBe('SIGNATURE_INVALID');
    const done = await send(body);
    expect(statusOf(done)).toBe(completed);
    expect((await send(body)).body).toEqual(done.body);
    expect(statusOf(await approve(owner.byPasskey, second))).toBe(needed);
  });

  const ownPages = () =>
    [...enclave.storage.tables.pages].filter(
      ([, row]) => hex(row.organizationId) === owner.organizationId.replaceAll('-', ''),
    );
  const show = (rows: ReturnType<typeof ownPages>) => {
    for (const [key] of ownPages()) enclave.storage.tables.pages.delete(key);
    for (const [key, row] of rows) enclave.storage.tables.pages.set(key, row);
  };
});
