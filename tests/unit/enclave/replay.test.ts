/** What a draft would change about the past, and why requests were denied that left nothing behind; on the whole enclave. */
import { createHash } from 'node:crypto';
import * as v from 'valibot';
import { parseEther, serializeTransaction } from 'viem';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { findQuery } from '../../../src/protocol/queries/index.ts';
import { generateApiKey, makeApiKeyStamp } from '../../../src/stamping/make-api-key-stamp.ts';
import { type EnclaveInMemory, startEnclave } from '../../support/enclave-in-memory.ts';
import { addUser, createResident, type Member, type Resident } from '../../support/resident.ts';
import { activityBody, type Caller, query, resultOf, submit } from '../../support/wire.ts';

let enclave: EnclaveInMemory;
beforeAll(async () => {
  enclave = await startEnclave();
});
afterAll(() => enclave.remove());

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into at many depths
type Answer = any;

let owner: Resident;
let agent: Member;
beforeEach(async () => {
  owner = await createResident(enclave.wire, enclave.parent, 'owner');
  agent = await addUser(enclave.wire, owner.byPasskey, 'agent');
});

const byOwner = (name: string, type: string, parameters: object) =>
  submit(enclave.wire, owner.byPasskey, name, type, parameters);

type Draft = { policyName: string; effect?: string; condition?: string; consensus?: string; language?: string };
const draft = (given: Draft) => ({ effect: 'EFFECT_ALLOW', ...given });
const create = async (given: Draft) =>
  resultOf(await byOwner('create_policy', 'CREATE_POLICY_V3', { notes: '', ...draft(given) })).policyId as string;

const type = 'ACTIVITY_TYPE_SIGN_TRANSACTION_V2';
let nonce = 0;
const transfer = (value: string, signWith: string = owner.addresses[0]) => ({
  signWith,
  unsignedTransaction: serializeTransaction({
    chainId: 1,
    type: 'eip1559',
    gas: 21_000n,
    nonce: nonce++,
    to: '0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48',
    value: parseEther(value),
  }).slice(2),
  type: 'TRANSACTION_TYPE_ETHEREUM',
});

function send(caller: Caller, parameters: object) {
  const body = activityBody(owner.organizationId, type, parameters);
  const stamp = caller.stamp(body);
  const fingerprint = `sha256:${createHash('sha256').update(body).digest('hex')}`;
  return { body, stamp, fingerprint, answer: enclave.wire({ kind: 'submit', name: 'sign_transaction', body, stamp }) };
}

/** The id of what was signed, or waits. */
async function sign(caller: Caller, value: string, signWith?: string): Promise<string> {
  const { body } = await send(caller, transfer(value, signWith)).answer;
  return (body.activity as { id: string }).id;
}

async function ask(name: string, parameters: object, caller: Caller = agent): Promise<Answer> {
  const { status, body } = await query(enclave.wire, caller, name, parameters);
  if (status !== 200) throw new Error(`${status} ${JSON.stringify(body)}`);
  // What is answered is what is documented.
  expect(v.parse(findQuery(name)?.response ?? v.never(), body)).toEqual(body);
  return body;
}
const replay = (policies: object[], activityIds: string[], more: object = {}): Promise<Answer> =>
  ask('replay_policies', { policies, activityIds, ...more });

const fromTheStart = { since: 0, windows: {}, last: {}, destinations: [] };
const signing = { policyName: 'signing', condition: "activity.action == 'SIGN'" };
const cap = (ether: number) => ({ policyName: 'cap', condition: `eth.tx.value <= ${ether}000000000000000000` });

describe('replay_policies', () => {
  test('says what would change, by which policy and sub-expression, and stores nothing', async () => {
    const policyId = await create(signing);
    const ids = [await sign(agent, '1'), await sign(agent, '3'), await sign(owner.byPasskey, '9')];
    const before = await ask('list_activities', {});
    const { activities, remaining } = await replay([draft(cap(2))], ids);
    expect(remaining).toEqual([]);
    expect(activities.map(({ activityId, change }: Answer) => [activityId, change])).toEqual([
      [ids[0], 'none'],
      [ids[1], 'denied'],
      [ids[2], 'none'],
    ]);
    expect(activities[1]).toMatchObject({
      type,
      status: 'ACTIVITY_STATUS_COMPLETED',
      decision: { outcome: 'OUTCOME_ALLOW', decidedBy: policyId },
      before: {
        outcome: 'OUTCOME_ALLOW',
        decidedBy: policyId,
        parts: [{ policyId, clause: 'condition', text: "activity.action == 'SIGN'", value: true }],
      },
      after: {
        outcome: 'OUTCOME_DENY_IMPLICIT',
        decidedBy: null,
        reason: 'no policy allows this',
        parts: [
          {
            policyId: 'cap',
            text: 'eth.tx.value <= 2000000000000000000',
            value: false,
            seen: [{ text: 'eth.tx.value', value: { $int: '3000000000000000000' } }],
          },
        ],
      },
      factsOfNow: [],
    });
    expect(activities[2].after).toMatchObject({ decidedBy: 'root-quorum', parts: [] });
    expect(await ask('list_activities', {})).toEqual(before);
    expect((await ask('list_policies', {})).policies).toHaveLength(1);
  });

  test('what waits could be allowed, and what was allowed could need more approvals', async () => {
    const policyId = await create({ policyName: 'two', consensus: 'approvers.count() >= 2' });
    const waiting = await sign(agent, '1');
    expect((await replay([draft(signing)], [waiting])).activities).toMatchObject([
      { status: 'ACTIVITY_STATUS_CONSENSUS_NEEDED', change: 'allowed', after: { decidedBy: 'signing' } },
    ]);
    const one = await create(signing);
    const allowed = await sign(agent, '1');
    const two = { policyId, policyName: 'two', consensus: 'approvers.count() >= 2' };
    expect((await replay([draft(two)], [allowed])).activities).toMatchObject([
      {
        change: 'needs-approvals',
        before: { decidedBy: one },
        after: { pending: true, parts: [{ policyId, clause: 'consensus', seen: [{ value: 1 }] }] },
        factsOfNow: ['others'],
      },
    ]);
  });

  test('a draft alone is what counts, not the policies that there are', async () => {
    await create(signing);
    const id = await sign(agent, '1');
    expect((await replay([], [id])).activities).toMatchObject([{ change: 'denied', after: { parts: [] } }]);
    const guard = draft({ policyName: 'none', effect: 'EFFECT_GUARD', condition: "activity.action == 'SIGN'" });
    const rooted = await sign(owner.byPasskey, '1');
    expect((await replay([guard], [rooted])).activities).toMatchObject([
      { change: 'denied', before: { decidedBy: 'root-quorum' }, after: { decidedBy: 'none' } },
    ]);
  });

  describe('sums over time', () => {
    const limitOf = (ether: string) =>
      draft({
        policyName: 'limit',
        effect: 'EFFECT_GUARD',
        language: 'cel',
        condition: `activity.action == 'SIGN' && spent('eip155:1', '24h') + spending('eip155:1') > ${ether} ether`,
      });
    const limit = limitOf('2.5');

    test('are those of what was carried out, also where no policy counted it', async () => {
      await create(signing);
      const ids = [await sign(agent, '1'), await sign(agent, '1'), await sign(agent, '1'), await sign(agent, '0.1')];
      const whole = await replay([limit, draft(signing)], ids, { past: fromTheStart });
      expect(whole.activities.map(({ change }: Answer) => change)).toEqual(['none', 'none', 'denied', 'denied']);
      expect(whole.activities[2].after.parts).toMatchObject([
        { text: "activity.action == 'SIGN'" },
        {
          seen: expect.arrayContaining([{ text: "spent('eip155:1', '24h')", value: { $int: '2000000000000000000' } }]),
        },
      ]);
      // In parts, what came before is handed on.
      const first = await replay([limit, draft(signing)], ids.slice(0, 2), { past: fromTheStart });
      const rest = await replay([limit, draft(signing)], ids.slice(2), { past: first.past });
      expect([...first.activities, ...rest.activities]).toEqual(whole.activities);
    });

    test('are kept with what was decided by them', async () => {
      await create(signing);
      await create(limit);
      const ids = [await sign(agent, '1'), await sign(agent, '1'), await sign(agent, '0.2')];
      const { activities } = await replay([limit, draft(signing)], [ids[2] as string]);
      expect(activities).toMatchObject([{ change: 'none', factsOfNow: [] }]);
      const harder = limitOf('2.1');
      expect((await replay([harder, draft(signing)], [ids[2] as string])).activities).toMatchObject([
        {
          change: 'denied',
          after: { parts: expect.arrayContaining([expect.objectContaining({ seen: expect.anything() })]) },
        },
      ]);
      const explained = await ask('explain_activity', { activityId: ids[0] });
      expect(explained).toMatchObject({ explanation: { outcome: 'OUTCOME_ALLOW' }, factsOfNow: [] });
      // As of now it would be 2.2 and not 0.
      expect(explained.explanation.text).toContain("spent('eip155:1', '24h') = 0");
    });

    test('that are not known are not guessed', async () => {
      await create(signing);
      const ids = [await sign(agent, '1'), await sign(agent, '2')];
      const { activities } = await replay([limit, draft(signing)], ids);
      expect(activities).toMatchObject([
        { change: 'unknown', problem: expect.stringContaining('earlier activities'), factsOfNow: ['history'] },
        { change: 'unknown' },
      ]);
    });
  });

  test('votes count as they did, also of those who have gone since', async () => {
    await create({ policyName: 'by id', consensus: `approvers.any(u, u.id == '${agent.userId}')` });
    const id = await sign(agent, '1');
    expect((await byOwner('delete_users', 'DELETE_USERS', { userIds: [agent.userId] })).status).toBe(200);
    const named = draft({ policyName: 'named', consensus: 'approvers.exists(u, u.created_at < now)' });
    const { activities } = await ask('replay_policies', { policies: [named], activityIds: [id] }, owner.byApiKey);
    expect(activities).toMatchObject([
      {
        change: 'needs-approvals',
        before: { outcome: 'OUTCOME_ALLOW' },
        // What nobody knows any more is an error, not a guess.
        after: { parts: [{ policyId: 'named', error: { code: 'missing-field' } }] },
        factsOfNow: ['approvers', 'others'],
      },
    ]);
    expect(await ask('explain_activity', { activityId: id }, owner.byApiKey)).toMatchObject({
      explanation: { outcome: 'OUTCOME_ALLOW' },
      factsOfNow: ['approvers'],
    });
  });

  test('names what may have been different then', async () => {
    await create(signing);
    const id = await sign(agent, '1');
    await byOwner('update_user_name', 'UPDATE_USER_NAME', { userId: agent.userId, userName: 'other' });
    await byOwner('update_wallet', 'UPDATE_WALLET', { walletId: owner.walletId, walletName: 'other' });
    await byOwner('update_organization_name', 'UPDATE_ORGANIZATION_NAME', { organizationName: 'other' });
    expect((await replay([draft(signing)], [id])).activities).toMatchObject([
      { change: 'none', factsOfNow: ['approvers', 'organization', 'wallet'] },
    ]);
  });

  test('of what cannot be asked any more it says so', async () => {
    await create(signing);
    const id = await sign(agent, '1', owner.privateKeyId);
    const deleted = { privateKeyIds: [owner.privateKeyId], deleteWithoutExport: true };
    expect((await byOwner('delete_private_keys', 'DELETE_PRIVATE_KEYS', deleted)).status).toBe(200);
    expect((await replay([], [id])).activities).toMatchObject([
      { change: 'unknown', problem: 'could not find any resource to sign with' },
    ]);
  });

  const unknownId = '00000000-0000-4000-8000-000000000000';
  test.each([
    [{ policies: [], activityIds: [] }, 400, 'activityIds'],
    [{ policies: [], activityIds: ['x'] }, 400, 'activityIds.0'],
    [{ policies: [], activityIds: [unknownId, unknownId] }, 400, 'activityIds'],
    [{ policies: [], activityIds: [unknownId] }, 404, 'activityIds'],
    [{ activityIds: [unknownId] }, 400, 'policies'],
    [{ policies: Array(101).fill(draft(signing)), activityIds: [unknownId] }, 400, 'policies'],
    [{ policies: [draft(signing), draft(signing)], activityIds: [unknownId] }, 400, 'policies.1'],
    [
      { policies: [draft({ policyName: 'x', condition: 'eth.tx.valeu > 1' })], activityIds: [unknownId] },
      400,
      'policies.0.condition',
    ],
    [
      {
        policies: [],
        activityIds: [unknownId],
        past: { ...fromTheStart, windows: { 'spent/eip155:1': [[0, 1, 'x']] } },
      },
      400,
      'past.windows.spent/eip155:1.0.2',
    ],
    [{ policies: [], activityIds: [unknownId], past: { since: -1 } }, 400, 'past.since'],
  ])('refuses what is wrong: %#', async (parameters, expected, field) => {
    const { status, body } = await query(enclave.wire, agent, 'replay_policies', parameters);
    expect(status).toBe(expected);
    expect(JSON.stringify(body.details)).toContain(`"field":"${field}"`);
  });
});

describe('a request that was denied', () => {
  const sent = ({ body, stamp }: ReturnType<typeof send>) => ({ request: { body, stamp } });

  test('is explained by its body and stamp, to whoever may read the organization', async () => {
    const policyId = await create(cap(1));
    const denied = send(agent, transfer('2'));
    expect((await denied.answer).status).toBe(403);
    for (const caller of [agent, owner.byApiKey, { ...enclave.parent, organizationId: owner.organizationId }]) {
      expect(await ask('explain_request', sent(denied), caller)).toMatchObject({
        allowed: false,
        outcome: 'OUTCOME_DENY_IMPLICIT',
        unmet: [{ policyId, text: 'eth.tx.value <= 1000000000000000000', value: false }],
        factsOfNow: [],
      });
    }
    // It is no activity, and is explained by its fingerprint until others were denied after it, or a restart.
    const { fingerprint } = denied;
    const noted = await ask('explain_activity', { fingerprint });
    expect(noted).toMatchObject({
      status: 'ACTIVITY_STATUS_FAILED',
      decision: { outcome: 'OUTCOME_DENY_IMPLICIT' },
      explanation: { outcome: 'OUTCOME_DENY_IMPLICIT', policies: [{ policyId }] },
    });
    const { activityId } = noted as unknown as { activityId: string };
    expect((await query(enclave.wire, agent, 'get_activity', { activityId })).status).toBe(404);
    const elsewhere = await createResident(enclave.wire, enclave.parent, 'elsewhere');
    expect((await query(enclave.wire, elsewhere.byApiKey, 'explain_activity', { fingerprint })).status).toBe(404);
    for (let count = 0; count < 16; count++) expect((await send(agent, transfer('2')).answer).status).toBe(403);
    const { status, body } = await query(enclave.wire, agent, 'explain_activity', { fingerprint });
    expect([status, body.message]).toEqual([404, expect.stringContaining('explain_request')]);
    await create(signing);
    expect(await ask('explain_request', sent(denied))).toMatchObject({ allowed: true, factsOfNow: ['policies'] });
    expect((await query(enclave.wire, agent, 'explain_activity', { fingerprint: denied.fingerprint })).status).toBe(
      404,
    );
  });

  test('who stamped it counts, not who asks', async () => {
    await create({ policyName: 'by id', consensus: `approvers.any(u, u.id == '${agent.userId}')` });
    const other = await addUser(enclave.wire, owner.byPasskey, 'other');
    expect(await ask('explain_request', sent(send(agent, transfer('1'))), other)).toMatchObject({ allowed: true });
    expect(await ask('explain_request', sent(send(other, transfer('1'))))).toMatchObject({ allowed: false });
    const byPasskey = await ask('explain_request', sent(send(owner.byPasskey, transfer('1'))));
    expect(byPasskey).toMatchObject({ allowed: true, decidedBy: 'root-quorum' });
  });

  test('one that became an activity is known by it', async () => {
    await create(signing);
    const signed = send(agent, transfer('1'));
    const { id } = (await signed.answer).body.activity as { id: string };
    expect(await ask('explain_request', sent(signed))).toMatchObject({ activityId: id, allowed: true });
  });

  test('is refused where it is none, with the field', async () => {
    const good = send(agent, transfer('1'));
    const stranger = generateApiKey();
    const elsewhere = await createResident(enclave.wire, enclave.parent, 'elsewhere');
    const foreign = activityBody(elsewhere.organizationId, type, transfer('1'));
    const cases: [object, string][] = [
      [{ body: '{}', stamp: good.stamp }, 'request.body.type'],
      [{ body: 'no json', stamp: good.stamp }, 'request.body'],
      [{ body: good.body.replace('"nonce"', '"once"'), stamp: good.stamp }, 'request.stamp'],
      [{ body: good.body, stamp: makeApiKeyStamp(good.body, stranger) }, 'request.stamp'],
      [{ body: good.body, stamp: { header: 'X-Stamp', value: 'x' } }, 'request.stamp'],
      [{ body: good.body, stamp: { header: 'X-Other', value: 'x' } }, 'request.stamp.header'],
      [{ body: good.body, stamp: enclave.parent.stamp(good.body) }, 'request.stamp'],
      [{ body: foreign, stamp: elsewhere.byApiKey.stamp(foreign) }, 'request.body'],
    ];
    for (const [request, field] of cases) {
      const { status, body } = await query(enclave.wire, agent, 'explain_request', { request });
      expect([status, JSON.stringify(body.details)]).toEqual([400, expect.stringContaining(`"field":"${field}`)]);
      expect(JSON.stringify(body)).not.toContain('"policies"');
    }
  });
});
