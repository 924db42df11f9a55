/** Activities that need more than one approval, on the whole enclave: who may vote, what counts, what becomes of them. */
import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { generateApiKey, makeApiKeyStamp } from '../../../src/stamping/make-api-key-stamp.ts';
import { type EnclaveInMemory, startEnclave } from '../../support/enclave-in-memory.ts';
import { ethereumAccount } from '../../support/resident.ts';
import { activityBody, type Caller, query, resultOf, submit, type WireAnswer } from '../../support/wire.ts';

let enclave: EnclaveInMemory;
beforeAll(async () => {
  enclave = await startEnclave();
});
afterAll(() => enclave.remove());

type Member = Caller & { readonly userId: string; readonly publicKey: string };
type Team = {
  readonly organizationId: string;
  readonly address: string;
  readonly members: readonly [Member, Member, Member];
};

const fingerprintOf = (body: string) => `sha256:${createHash('sha256').update(body).digest('hex')}`;
const statusOf = ({ body }: WireAnswer) => body.activity?.status;

/** A sub-organization of three members, of whom `threshold` make the root quorum. */
async function createTeam(threshold: number): Promise<Team> {
  const keys = [generateApiKey(), generateApiKey(), generateApiKey()];
  const created = resultOf(
    await submit(enclave.wire, enclave.parent, 'create_sub_organization', 'CREATE_SUB_ORGANIZATION_V7', {
      subOrganizationName: 'team',
      rootQuorumThreshold: threshold,
      rootUsers: keys.map(({ publicKey }, index) => ({
        userName: `member ${index}`,
        apiKeys: [{ apiKeyName: 'key', publicKey, curveType: 'API_KEY_CURVE_P256' }],
        authenticators: [],
        oauthProviders: [],
      })),
      wallet: { walletName: 'wallet', accounts: [ethereumAccount(0)] },
    }),
  ) as { subOrganizationId: string; rootUserIds: string[]; wallet: { addresses: string[] } };
  const organizationId = created.subOrganizationId;
  const members = keys.map(({ publicKey, privateKey }, index) => ({
    organizationId,
    userId: created.rootUserIds[index] as string,
    publicKey,
    stamp: (body: string | Uint8Array) => makeApiKeyStamp(body, { publicKey, privateKey }),
  }));
  return {
    organizationId,
    address: created.wallet.addresses[0] as string,
    members: members as unknown as Team['members'],
  };
}

const signing = ({ organizationId, address }: Team) =>
  activityBody(organizationId, 'ACTIVITY_TYPE_SIGN_RAW_PAYLOAD_V2', {
    signWith: address,
    payload: randomBytes(32).toString('hex'),
    encoding: 'PAYLOAD_ENCODING_HEXADECIMAL',
    hashFunction: 'HASH_FUNCTION_NO_OP',
  });

const send = (caller: Caller, name: string, body: string) =>
  enclave.wire({ kind: 'submit', name, body, stamp: caller.stamp(body) });
const sign = (caller: Caller, body: string) => send(caller, 'sign_raw_payload', body);
const vote = (caller: Caller, name: 'approve' | 'reject', fingerprint: string) =>
  submit(enclave.wire, caller, `${name}_activity`, `${name.toUpperCase()}_ACTIVITY`, { fingerprint });

describe('a root quorum of two', () => {
  test('the second approval carries it out, and answers with its result', async () => {
    const team = await createTeam(2);
    const [a, b, c] = team.members;
    const body = signing(team);
    const first = await sign(a, body);
    expect(first.status).toBe(200);
    expect(first.body.activity).toMatchObject({
      status: 'ACTIVITY_STATUS_CONSENSUS_NEEDED',
      result: {},
      canApprove: true,
      fingerprint: fingerprintOf(body),
      votes: [{ userId: a.userId, selection: 'VOTE_SELECTION_APPROVED', message: body }],
    });
    const second = await vote(b, 'approve', fingerprintOf(body));
    expect(second.body.activity).toMatchObject({
      id: first.body.activity?.id,
      status: 'ACTIVITY_STATUS_COMPLETED',
      votes: [{ userId: a.userId }, { userId: b.userId }],
    });
    expect(resultOf(second)).toMatchObject({ r: expect.stringMatching(/^[0-9a-f]{64}$/) });
    const message = (second.body.activity as unknown as { votes: { message: string }[] }).votes[1]?.message ?? '';
    expect(JSON.parse(message).parameters.fingerprint).toBe(fingerprintOf(body));
    // The same body, and a vote that comes too late, find what was decided.
    expect((await sign(a, body)).body.activity).toEqual(second.body.activity);
    expect((await vote(c, 'approve', fingerprintOf(body))).body.activity).toEqual(second.body.activity);
    expect((await vote(c, 'reject', fingerprintOf(body))).body.activity).toEqual(second.body.activity);
  });

  test('one member alone can say yes as often as it likes', async () => {
    const team = await createTeam(2);
    const [a] = team.members;
    const body = signing(team);
    await sign(a, body);
    for (let time = 0; time < 3; time++) {
      expect(statusOf(await vote(a, 'approve', fingerprintOf(body)))).toBe('ACTIVITY_STATUS_CONSENSUS_NEEDED');
    }
    expect(statusOf(await sign(a, body))).toBe('ACTIVITY_STATUS_CONSENSUS_NEEDED');
  });

  test('one rejection leaves it to the others; when too few are left it is rejected for good', async () => {
    const team = await createTeam(2);
    const [a, b, c] = team.members;
    const body = signing(team);
    const started = await sign(a, body);
    expect(statusOf(await vote(b, 'reject', fingerprintOf(body)))).toBe('ACTIVITY_STATUS_CONSENSUS_NEEDED');
    expect(statusOf(await vote(c, 'approve', fingerprintOf(body)))).toBe('ACTIVITY_STATUS_COMPLETED');

    const another = signing(team);
    await sign(a, another);
    await vote(b, 'reject', fingerprintOf(another));
    const last = await vote(c, 'reject', fingerprintOf(another));
    expect(last.body.activity).toMatchObject({ status: 'ACTIVITY_STATUS_REJECTED', result: {} });
    expect(last.body.activity?.id).not.toBe(started.body.activity?.id);
    expect(statusOf(await vote(b, 'approve', fingerprintOf(another)))).toBe('ACTIVITY_STATUS_REJECTED');
    expect(statusOf(await sign(a, another))).toBe('ACTIVITY_STATUS_REJECTED');
  });

  test('who started it may call it off', async () => {
    const team = await createTeam(2);
    const [a, b] = team.members;
    const body = signing(team);
    await sign(a, body);
    expect(statusOf(await vote(a, 'reject', fingerprintOf(body)))).toBe('ACTIVITY_STATUS_REJECTED');
    expect(statusOf(await vote(b, 'approve', fingerprintOf(body)))).toBe('ACTIVITY_STATUS_REJECTED');
  });

  test('a vote that was taken back does not come back by showing it again', async () => {
    const team = await createTeam(3);
    const [a, b, c] = team.members;
    const body = signing(team);
    await sign(a, body);
    const approval = activityBody(team.organizationId, 'ACTIVITY_TYPE_APPROVE_ACTIVITY', {
      fingerprint: fingerprintOf(body),
    });
    expect(statusOf(await send(b, 'approve_activity', approval))).toBe('ACTIVITY_STATUS_CONSENSUS_NEEDED');
    expect(statusOf(await vote(b, 'reject', fingerprintOf(body)))).toBe('ACTIVITY_STATUS_REJECTED');
    expect(statusOf(await send(b, 'approve_activity', approval))).toBe('ACTIVITY_STATUS_REJECTED');
    expect(statusOf(await vote(c, 'approve', fingerprintOf(body)))).toBe('ACTIVITY_STATUS_REJECTED');
  });

  test('an approval of a credential that is gone by the last vote does not count', async () => {
    const team = await createTeam(3);
    const [a, b, c] = team.members;
    const spare = generateApiKey();
    const body = signing(team);
    await sign(a, body);
    await vote(b, 'approve', fingerprintOf(body));
    // The user gets another key and gives up the one it voted with: three approvals are needed for that, too.
    const user = { userId: b.userId };
    const given = await submit(enclave.wire, b, 'create_api_keys', 'CREATE_API_KEYS_V2', {
      ...user,
      apiKeys: [{ apiKeyName: 'spare', publicKey: spare.publicKey, curveType: 'API_KEY_CURVE_P256' }],
    });
    expect(statusOf(given)).toBe('ACTIVITY_STATUS_COMPLETED');
    const keys = (await query(enclave.wire, b, 'get_api_keys', user)).body as unknown as {
      apiKeys: { apiKeyId: string; credential: { publicKey: string } }[];
    };
    const old = keys.apiKeys.find(({ credential }) => credential.publicKey === b.publicKey);
    expect(
      statusOf(
        await submit(enclave.wire, b, 'delete_api_keys', 'DELETE_API_KEYS', { ...user, apiKeyIds: [old?.apiKeyId] }),
      ),
    ).toBe('ACTIVITY_STATUS_COMPLETED');
    expect(statusOf(await vote(c, 'approve', fingerprintOf(body)))).toBe('ACTIVITY_STATUS_CONSENSUS_NEEDED');
    const again: Caller = { organizationId: team.organizationId, stamp: (text) => makeApiKeyStamp(text, spare) };
    expect(statusOf(await vote(again, 'approve', fingerprintOf(body)))).toBe('ACTIVITY_STATUS_COMPLETED');
  });

  test('what cannot be carried out any more has failed, with the reason', async () => {
    const team = await createTeam(2);
    const [a, b] = team.members;
    const body = activityBody(team.organizationId, 'ACTIVITY_TYPE_UPDATE_USER_NAME', {
      userId: '00000000-0000-4000-8000-000000000000',
      userName: 'nobody',
    });
    await send(a, 'update_user_name', body);
    const failed = await vote(b, 'approve', fingerprintOf(body));
    expect(failed.status).toBe(200);
    expect(failed.body.activity).toMatchObject({
      status: 'ACTIVITY_STATUS_FAILED',
      result: {},
      failure: { code: 5, message: expect.stringContaining('could not find user'), details: [] },
    });
  });

  test('it survives a restart, and is listed and found while it waits', async () => {
    const team = await createTeam(2);
    const [a, b] = team.members;
    const done = signing(team);
    await sign(a, done);
    await vote(b, 'approve', fingerprintOf(done));
    const body = signing(team);
    const { activity } = (await sign(a, body)).body;
    await enclave.restart();
    const found = await query(enclave.wire, b, 'get_activity', { activityId: activity?.id });
    expect(found.body.activity).toEqual(activity);
    const listed = async (parameters: object) =>
      (
        (await query(enclave.wire, b, 'list_activities', parameters)).body as unknown as {
          activities: { id: string }[];
        }
      ).activities;
    const all = await listed({});
    expect(all[0]?.id).toBe(activity?.id);
    expect(all.length).toBe(2);
    expect((await listed({ paginationOptions: { limit: '1', after: activity?.id } }))[0]?.id).toBe(all[1]?.id);
    expect((await listed({ paginationOptions: { limit: '1', before: all[1]?.id } }))[0]?.id).toBe(activity?.id);
    expect(await listed({ filterByStatus: ['ACTIVITY_STATUS_CONSENSUS_NEEDED'] })).toHaveLength(1);
    expect(statusOf(await vote(b, 'approve', fingerprintOf(body)))).toBe('ACTIVITY_STATUS_COMPLETED');
    expect(await listed({ filterByStatus: ['ACTIVITY_STATUS_CONSENSUS_NEEDED'] })).toHaveLength(0);
  });

  test('votes for what was never asked, and by strangers, are refused', async () => {
    const [team, other] = [await createTeam(2), await createTeam(2)];
    const body = signing(team);
    await sign(team.members[0], body);
    const unknown = await vote(team.members[1], 'approve', fingerprintOf('x'));
    expect(unknown).toMatchObject({ status: 404, body: { message: expect.stringMatching(/^No activity found/) } });
    expect((await vote(other.members[0], 'approve', fingerprintOf(body))).status).toBe(404);
    const stranger = { ...other.members[0], organizationId: team.organizationId };
    expect((await vote(stranger, 'approve', fingerprintOf(body))).status).toBe(401);
    const parent = { ...enclave.parent, organizationId: team.organizationId };
    expect((await vote(parent, 'approve', fingerprintOf(body))).status).toBe(400);
  });

  test('those who decided the end of the organization are answered again, by the same stamps', async () => {
    const team = await createTeam(2);
    const [a, b, c] = team.members;
    const body = activityBody(team.organizationId, 'ACTIVITY_TYPE_DELETE_SUB_ORGANIZATION', {
      deleteWithoutExport: true,
    });
    const approval = activityBody(team.organizationId, 'ACTIVITY_TYPE_APPROVE_ACTIVITY', {
      fingerprint: fingerprintOf(body),
    });
    const asked = { kind: 'submit', name: 'delete_sub_organization', body, stamp: a.stamp(body) } as const;
    const approved = { kind: 'submit', name: 'approve_activity', body: approval, stamp: b.stamp(approval) } as const;
    expect(statusOf(await enclave.wire(asked))).toBe('ACTIVITY_STATUS_CONSENSUS_NEEDED');
    const done = await enclave.wire(approved);
    expect(statusOf(done)).toBe('ACTIVITY_STATUS_COMPLETED');
    await enclave.restart();
    for (const request of [asked, approved]) expect(await enclave.wire(request)).toEqual(done);
    // Stamps of the same user over the same bytes, but not those that were verified, and nobody else's.
    for (const request of [
      { ...asked, stamp: b.stamp(body) },
      { ...asked, stamp: a.stamp(body) },
      { ...approved, stamp: asked.stamp },
      { ...approved, stamp: c.stamp(approval) },
    ]) {
      expect((await enclave.wire(request)).status).toBe(404);
    }
  });

  test('no more wait than there is room for', async () => {
    const team = await createTeam(2);
    for (let count = 0; count < 100; count++) await sign(team.members[0], signing(team));
    const refused = await sign(team.members[0], signing(team));
    expect(refused.status).toBe(429);
    expect(refused.body.message).toContain('too many activities wait for approval');
  });
});
