/** What the service says about its decisions, on the whole enclave: before, at and after them. */
import { createHash } from 'node:crypto';
import * as v from 'valibot';
import { parseEther, serializeTransaction } from 'viem';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { DenialRow } from '../../../src/protocol/messages.ts';
import { findQuery } from '../../../src/protocol/queries/index.ts';
import { uuidText } from '../../../src/protocol/uuid.ts';
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

const policy = async (name: string, given: { effect?: string; condition?: string; consensus?: string }) =>
  resultOf(
    await submit(enclave.wire, owner.byPasskey, 'create_policy', 'CREATE_POLICY_V3', {
      policyName: name,
      effect: 'EFFECT_ALLOW',
      notes: '',
      ...given,
    }),
  ).policyId as string;

const usdc = '0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48';
const type = 'ACTIVITY_TYPE_SIGN_TRANSACTION_V2';
const transfer = (value = '2', signWith = owner.addresses[0]) => ({
  signWith,
  unsignedTransaction: serializeTransaction({
    chainId: 1,
    type: 'eip1559',
    gas: 21_000n,
    to: usdc,
    value: parseEther(value),
  }).slice(2),
  type: 'TRANSACTION_TYPE_ETHEREUM',
});

async function ask(name: string, parameters: object, caller: Caller = agent): Promise<Answer> {
  const { status, body } = await query(enclave.wire, caller, name, parameters);
  if (status !== 200) throw new Error(`${status} ${JSON.stringify(body)}`);
  // What is answered is what is documented.
  expect(v.parse(findQuery(name)?.response ?? v.never(), body)).toEqual(body);
  return body;
}
const dryRun = (parameters: object, caller: Caller = agent) =>
  ask('dry_run', { activity: { type, parameters } }, caller);

function sign(caller: Caller, parameters: object, explain: { explain?: true } = {}) {
  const body = activityBody(owner.organizationId, type, parameters);
  const fingerprint = `sha256:${createHash('sha256').update(body).digest('hex')}`;
  const stamp = caller.stamp(body);
  return {
    fingerprint,
    answer: enclave.wire({ kind: 'submit', name: 'sign_transaction', body, stamp, ...explain }),
  };
}

describe('dry_run', () => {
  test('says what is missing and what was seen, and nothing is done', async () => {
    const id = await policy('cap', { condition: "eth.tx.value <= 1000000000000000000 && activity.action == 'SIGN'" });
    const before = await ask('list_activities', {});
    const answer = await dryRun(transfer());
    expect(answer).toMatchObject({
      allowed: false,
      outcome: 'OUTCOME_DENY_IMPLICIT',
      pending: false,
      decidedBy: null,
      reason: 'no policy allows this',
      policyEvaluations: [{ policyId: id, outcome: 'OUTCOME_DENY_IMPLICIT' }],
      unmet: [
        {
          policyId: id,
          clause: 'condition',
          text: 'eth.tx.value <= 1000000000000000000',
          line: 1,
          column: 1,
          value: false,
          seen: [{ text: 'eth.tx.value', value: { $int: '2000000000000000000' } }],
        },
      ],
      delaySeconds: 0,
    });
    expect(answer.text).toContain(`policy cap (${id}) did not match`);
    expect(await ask('list_activities', {})).toEqual(before);
  });

  test('agrees with what then happens', async () => {
    const id = await policy('cap', {
      condition: 'eth.tx.value <= 1000000000000000000',
      consensus: `approvers.any(u, u.id == '${agent.userId}')`,
    });
    expect(await dryRun(transfer('1'))).toMatchObject({ allowed: true, decidedBy: id, unmet: [] });
    expect((await sign(agent, transfer('1')).answer).status).toBe(200);
    expect((await sign(agent, transfer('1.1')).answer).status).toBe(403);
    expect(await dryRun(transfer('1.1'))).toMatchObject({ allowed: false });
    expect(await dryRun(transfer('9'), owner.byPasskey)).toMatchObject({ allowed: true, decidedBy: 'root-quorum' });
    const other = await addUser(enclave.wire, owner.byPasskey, 'other');
    expect(await dryRun(transfer('1'), other)).toMatchObject({
      allowed: false,
      pending: true,
      unmet: [{ policyId: id, clause: 'consensus' }],
    });
  });

  test('knows guards, and how long their loosening waits', async () => {
    const created = await submit(enclave.wire, owner.byPasskey, 'create_policy', 'CREATE_POLICY_V3', {
      policyName: 'guard',
      effect: 'EFFECT_GUARD',
      condition: 'eth.tx.value > 1000000000000000000',
      delaySeconds: 3600,
      notes: '',
    });
    const { policyId } = resultOf(created);
    expect(await dryRun(transfer(), owner.byPasskey)).toMatchObject({
      outcome: 'OUTCOME_DENY_EXPLICIT',
      decidedBy: policyId,
      unmet: [{ policyId, text: 'eth.tx.value > 1000000000000000000', value: true }],
    });
    const activity = { type: 'ACTIVITY_TYPE_DELETE_POLICY', parameters: { policyId } };
    expect(await ask('dry_run', { activity }, owner.byPasskey)).toMatchObject({ allowed: true, delaySeconds: 3600 });
  });

  test('of a vote: what the activity would become with it', async () => {
    await policy('two', { consensus: 'approvers.count() >= 2' });
    const { answer, fingerprint } = sign(agent, transfer());
    expect((await answer).body.activity?.status).toBe('ACTIVITY_STATUS_CONSENSUS_NEEDED');
    const activity = { type: 'ACTIVITY_TYPE_APPROVE_ACTIVITY', parameters: { fingerprint } };
    const officer = await addUser(enclave.wire, owner.byPasskey, 'officer');
    expect(await ask('dry_run', { activity })).toMatchObject({ allowed: false, pending: true });
    expect(await ask('dry_run', { activity }, officer)).toMatchObject({ allowed: true });
    const unknown = { ...activity, parameters: { fingerprint: `sha256:${'0'.repeat(64)}` } };
    expect((await query(enclave.wire, agent, 'dry_run', { activity: unknown })).status).toBe(404);
  });

  test('of several payloads the one that is not allowed is explained', async () => {
    await policy('texts', { condition: "has(payload.text) && payload.text == 'ok'" });
    const activity = (payloads: string[]) => ({
      type: 'ACTIVITY_TYPE_SIGN_RAW_PAYLOADS',
      parameters: {
        signWith: owner.addresses[0],
        payloads,
        encoding: 'PAYLOAD_ENCODING_TEXT_UTF8',
        hashFunction: 'HASH_FUNCTION_KECCAK256',
      },
    });
    expect(await ask('dry_run', { activity: activity(['ok', 'ok']) })).toMatchObject({ allowed: true });
    expect(await ask('dry_run', { activity: activity(['ok', 'no']) })).toMatchObject({
      allowed: false,
      unmet: [{ seen: [{ value: 'no' }] }],
    });
  });

  test.each([
    [{ type: 'ACTIVITY_TYPE_NONSENSE', parameters: {} }, 'activity.type'],
    [{ type, parameters: { signWith: 'x', more: 1 } }, 'activity.parameters.more'],
  ])('says where %j is wrong', async (activity, field) => {
    const { status, body } = await query(enclave.wire, agent, 'dry_run', { activity });
    expect(status).toBe(400);
    expect(JSON.stringify(body.details)).toContain(`"field":"${field}"`);
  });

  test('is no way to submit, nor to ask for others', async () => {
    // What asks must never be what acts, whoever passes it on.
    const body = JSON.stringify({
      organizationId: owner.organizationId,
      timestampMs: String(Date.now()),
      activity: { type, parameters: transfer() },
    });
    const stamp = owner.byApiKey.stamp(body);
    expect((await enclave.wire({ kind: 'query', name: 'dry_run', body, stamp })).status).toBe(200);
    expect((await enclave.wire({ kind: 'submit', name: 'sign_transaction', body, stamp })).status).toBe(400);
    const byParent = { ...enclave.parent, organizationId: owner.organizationId };
    const { status } = await query(enclave.wire, byParent, 'dry_run', { activity: { type, parameters: transfer() } });
    expect(status).toBe(400);
  });
});

describe('a denial', () => {
  test('carries its explanation where it is asked for, and nothing otherwise', async () => {
    const id = await policy('deny blind', { effect: 'EFFECT_DENY', condition: "eth.tx.data[0..10] == '0xa9059cbb'" });
    const { body: silent } = await sign(agent, transfer()).answer;
    expect(silent.details).toEqual([]);
    const { status, body } = await sign(agent, transfer(), { explain: true }).answer;
    expect({ status, code: body.code, message: body.message }).toEqual({
      status: 403,
      code: 7,
      message: silent.message,
    });
    expect(body.details).toMatchObject([
      {
        '@type': 'type.googleapis.com/errors.v1.PolicyEnginePermissionError',
        message: `The following policies denied this action: ${id}`,
        policyEvaluations: [{ policyId: id, outcome: 'OUTCOME_ERROR' }],
        explanation: {
          outcome: 'OUTCOME_DENY_EXPLICIT',
          decidedBy: id,
          policies: [
            {
              policyName: 'deny blind',
              denies: true,
              clauses: [
                {
                  clause: 'condition',
                  value: null,
                  blamed: [
                    {
                      text: 'eth.tx.data[0..10]',
                      error: { code: 'index-out-of-range' },
                      seen: [{ text: 'eth.tx.data', value: '0x' }],
                    },
                  ],
                },
              ],
            },
          ],
        },
      },
    ]);
  });

  test('is told of by its fingerprint after a restart too, and by nothing that another organization or slot had', async () => {
    await policy('deny blind', { effect: 'EFFECT_DENY', condition: "eth.tx.data[0..10] == '0xa9059cbb'" });
    const { answer, fingerprint } = sign(agent, transfer());
    expect((await answer).status).toBe(403);
    await enclave.restart();
    expect(await ask('explain_activity', { fingerprint })).toMatchObject({ status: 'ACTIVITY_STATUS_FAILED' });

    const other = await createResident(enclave.wire, enclave.parent, 'other');
    const { status } = await query(enclave.wire, other.byPasskey, 'explain_activity', { fingerprint });
    expect(status).toBe(404);
    const own = ([, { organizationId }]: [string, DenialRow]) => uuidText(organizationId) === owner.organizationId;
    const [name, row] = [...enclave.storage.tables.denials].find(own) as [string, DenialRow];
    enclave.storage.tables.denials.set(name, { ...row, slot: row.slot + 1 });
    await enclave.restart();
    expect((await query(enclave.wire, agent, 'explain_activity', { fingerprint })).status).toBe(503);
  });

  test('is noted in a bounded number of rows', async () => {
    for (let index = 0; index < 20; index++)
      expect((await sign(agent, transfer(`${index + 2}`)).answer).status).toBe(403);
    const rows = [...enclave.storage.tables.denials.values()];
    const own = rows.filter(({ organizationId }) => uuidText(organizationId) === owner.organizationId);
    expect(own).toHaveLength(16);
  });

  test('a stranger learns nothing', async () => {
    const key = generateApiKey();
    const stranger: Caller = {
      organizationId: owner.organizationId,
      stamp: (body) => makeApiKeyStamp(body, key),
    };
    const { status, body } = await sign(stranger, transfer(), { explain: true }).answer;
    expect(status).toBe(401);
    expect(JSON.stringify(body)).not.toContain('explanation');
  });
});

describe('get_policy_evaluations and explain_activity', () => {
  test('vote by vote, by the policies of now', async () => {
    const id = await policy('two', { condition: "activity.action == 'SIGN'", consensus: 'approvers.count() >= 2' });
    const officer = await addUser(enclave.wire, owner.byPasskey, 'officer');
    const { answer, fingerprint } = sign(agent, transfer());
    const activity = (await answer).body.activity as Answer;

    const waiting = await ask('explain_activity', { fingerprint });
    expect(waiting).toMatchObject({
      activityId: activity.id,
      status: 'ACTIVITY_STATUS_CONSENSUS_NEEDED',
      decision: { outcome: 'OUTCOME_REQUIRES_CONSENSUS', decidedBy: null },
      policiesChanged: false,
      explanation: {
        pending: true,
        policies: [
          {
            policyId: id,
            outcome: 'OUTCOME_REQUIRES_CONSENSUS',
            clauses: [{ value: true }, { value: false, blamed: [{ seen: [{ text: 'approvers.count()', value: 1 }] }] }],
          },
        ],
      },
    });
    expect(waiting.explanation.text).toContain('approvers.count() = 1');

    await submit(enclave.wire, officer, 'approve_activity', 'APPROVE_ACTIVITY', { fingerprint });
    const evaluations = await ask('get_policy_evaluations', { activityId: activity.id });
    expect(evaluations).toEqual({
      policyEvaluations: [
        expect.objectContaining({
          activityId: activity.id,
          organizationId: owner.organizationId,
          voteId: activity.votes[0].id,
          policyEvaluations: [{ policyId: id, outcome: 'OUTCOME_REQUIRES_CONSENSUS' }],
          createdAt: activity.votes[0].createdAt,
        }),
        expect.objectContaining({ policyEvaluations: [{ policyId: id, outcome: 'OUTCOME_ALLOW' }] }),
      ],
    });
    const final = { status: 'ACTIVITY_STATUS_COMPLETED', decision: { outcome: 'OUTCOME_ALLOW', decidedBy: id } };
    expect(await ask('explain_activity', { fingerprint })).toMatchObject(final);
    expect(await ask('explain_activity', { activityId: activity.id })).toMatchObject(final);

    await policy('more', { effect: 'EFFECT_DENY', condition: 'eth.tx.value > 0' });
    expect(await ask('get_policy_evaluations', { activityId: activity.id })).toMatchObject({ policiesChanged: true });
    expect(await ask('explain_activity', { activityId: activity.id })).toMatchObject({
      ...final,
      policiesChanged: true,
      explanation: { outcome: 'OUTCOME_DENY_EXPLICIT' },
    });
  });

  test('of what cannot be asked any more', async () => {
    const id = await policy('any', { condition: "activity.action == 'SIGN'" });
    const key = resultOf(
      await submit(enclave.wire, owner.byPasskey, 'create_private_keys', 'CREATE_PRIVATE_KEYS_V2', {
        privateKeys: [{ privateKeyName: 'short-lived', curve: 'CURVE_SECP256K1', addressFormats: [] }],
      }),
    ).privateKeys as [{ privateKeyId: string }];
    const { privateKeyId } = key[0];
    const { answer, fingerprint } = sign(agent, transfer('1', privateKeyId));
    const { id: activityId } = (await answer).body.activity as Answer;
    const deleted = await submit(enclave.wire, owner.byPasskey, 'delete_private_keys', 'DELETE_PRIVATE_KEYS', {
      privateKeyIds: [privateKeyId],
      deleteWithoutExport: true,
    });
    expect(deleted.status).toBe(200);
    expect(await ask('explain_activity', { fingerprint })).toMatchObject({
      decision: { decidedBy: id },
      explanation: null,
      problem: 'could not find any resource to sign with',
    });
    expect(await ask('get_policy_evaluations', { activityId })).toMatchObject({
      policyEvaluations: [{ policyEvaluations: [{ policyId: id, outcome: 'OUTCOME_ERROR' }] }],
    });
  });

  test.each([
    ['explain_activity', {}, 400],
    ['explain_activity', { fingerprint: `sha256:${'0'.repeat(64)}` }, 404],
    ['explain_activity', { fingerprint: 'abc' }, 400],
    ['get_policy_evaluations', { activityId: '00000000-0000-4000-8000-000000000000' }, 404],
  ])('%s refuses %j', async (name, parameters, expected) => {
    expect((await query(enclave.wire, agent, name, parameters)).status).toBe(expected);
  });
});

describe('check_policy and format_policy', () => {
  test('types, cost, language and warnings', async () => {
    const answer = await ask('check_policy', { condition: "eth.tx.to == '0x00'", consensus: 'size(approvers) > 1' });
    expect(answer).toMatchObject({
      valid: true,
      clauses: [
        { clause: 'condition', language: 'turnkey', problems: [] },
        { clause: 'consensus', language: 'cel', problems: [] },
      ],
    });
    expect(answer.clauses[0].cost).toBeGreaterThan(0);
    expect(answer.warnings.map(({ rule }: Answer) => rule)).toEqual(['unbounded-value', 'missing-chain-id']);
  });

  test.each([
    [{ condition: 'eth.tx.valeu > 1' }, { line: 1, column: 8, suggestion: 'value' }],
    [{ condition: 'true &&\n  eth.tx.value == true', language: 'turnkey' }, { line: 2 }],
    [{ condition: 'x'.repeat(20_000) }, {}],
    [{ condition: '((((' }, {}],
  ])('a mistake is an answer, not an error: %#', async (texts, expected) => {
    const answer = await ask('check_policy', texts);
    expect(answer).toMatchObject({ valid: false, warnings: [], clauses: [{ problems: [expected] }] });
    const { text, line, column } = answer.clauses[0].problems[0];
    expect(text).toMatch(new RegExp(`^${line}:${column}: `));
    expect(text).toContain('^');
  });

  test('the canonical form', async () => {
    const texts = {
      condition: "  eth.tx.value<=5&&(activity.kind=='X')",
      consensus: 'size( approvers )>1 // two',
      time: 'nonsense',
    };
    expect(await ask('format_policy', texts)).toMatchObject({
      clauses: [
        { clause: 'condition', language: 'turnkey', text: "eth.tx.value <= 5 && activity.kind == 'X'", problems: [] },
        { clause: 'consensus', language: 'cel', text: 'size(approvers) > 1', commentsDropped: true },
        { clause: 'time', problems: [{ line: 1, column: 1 }] },
      ],
    });
  });
});
