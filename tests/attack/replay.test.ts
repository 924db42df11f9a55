/** Attackers against what is told of past decisions: who may not read it, and an api that would have it told of a forged past. */
import { createHash, randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ProvenActivity } from '../../src/protocol/messages.ts';
import { generateApiKey, makeApiKeyStamp } from '../../src/stamping/make-api-key-stamp.ts';
import { type EnclaveInMemory, startEnclave } from '../support/enclave-in-memory.ts';
import { addUser, createResident, type Member, type Resident, signing } from '../support/resident.ts';
import { activityBody, type Caller, query, reasonOf, resultOf, submit } from '../support/wire.ts';

let enclave: EnclaveInMemory;
beforeAll(async () => {
  enclave = await startEnclave();
});
afterEach(() => {
  enclave.storage.answer = (_, rows) => rows;
});
afterAll(() => enclave.remove());

const secret = 'a condition that only members may read';
let owner: Resident;
let agent: Member;
let policyId: string;
beforeEach(async () => {
  owner = await createResident(enclave.wire, enclave.parent, 'owner');
  agent = await addUser(enclave.wire, owner.byPasskey, 'agent');
  const created = await submit(enclave.wire, owner.byPasskey, 'create_policy', 'CREATE_POLICY_V3', {
    policyName: 'texts',
    effect: 'EFFECT_ALLOW',
    language: 'cel',
    condition: `activity.action == 'SIGN' && !(has(payload.text) && payload.text == '${secret}')`,
    notes: '',
  });
  policyId = resultOf(created).policyId as string;
});

const ofSecret = {
  payload: secret,
  encoding: 'PAYLOAD_ENCODING_TEXT_UTF8',
  hashFunction: 'HASH_FUNCTION_KECCAK256',
};

/** Signed, or denied where it is of the secret. */
function send(caller: Caller, more: object = {}) {
  const body = activityBody(owner.organizationId, 'ACTIVITY_TYPE_SIGN_RAW_PAYLOAD_V2', {
    ...signing(owner.addresses[0]),
    ...more,
  });
  const stamp = caller.stamp(body);
  const answer = enclave.wire({ kind: 'submit', name: 'sign_raw_payload', body, stamp, explain: true });
  return { body, stamp, answer };
}
const signed = async (): Promise<string> => ((await send(agent).answer).body.activity as { id: string }).id;
const replay = (caller: Caller, activityIds: string[]) =>
  query(enclave.wire, caller, 'replay_policies', { policies: [], activityIds });

describe('who may not read an organization', () => {
  test('learns nothing by replay or explanations', async () => {
    const denied = send(agent, ofSecret);
    expect(JSON.stringify((await denied.answer).body)).toContain(policyId);
    const id = await signed();
    const fingerprint = `sha256:${createHash('sha256').update(denied.body).digest('hex')}`;

    const neighbour = await createResident(enclave.wire, enclave.parent, 'neighbour');
    const gone = await addUser(enclave.wire, owner.byPasskey, 'gone');
    await submit(enclave.wire, owner.byPasskey, 'delete_users', 'DELETE_USERS', { userIds: [gone.userId] });
    const key = generateApiKey();
    const { organizationId } = owner;
    const strangers: Caller[] = [
      { ...neighbour.byPasskey, organizationId },
      { ...neighbour.byApiKey, organizationId },
      gone,
      { organizationId, stamp: (body) => makeApiKeyStamp(body, key) },
    ];
    const questions: [string, object][] = [
      ['replay_policies', { policies: [], activityIds: [id] }],
      ['explain_activity', { activityId: id }],
      ['explain_activity', { fingerprint }],
      ['explain_request', { request: { body: denied.body, stamp: denied.stamp } }],
    ];
    for (const stranger of strangers) {
      for (const [name, parameters] of questions) {
        const { status, body } = await query(enclave.wire, stranger, name, parameters);
        expect(status, name).toBe(401);
        expect(JSON.stringify(body)).not.toMatch(new RegExp(`${policyId}|${secret}`));
      }
      // Nor by asking for the explanation of a denial of its own.
      const { status, body } = await send(stranger, ofSecret).answer;
      expect(status).toBe(401);
      expect(body.details).not.toContainEqual(expect.objectContaining({ explanation: expect.anything() }));
    }
    // The parent reads by queries, as all else, and is told of no denial: it cannot ask for anything here.
    const byParent = await send({ ...enclave.parent, organizationId }).answer;
    expect([byParent.status, reasonOf(byParent)]).toEqual([400, 'ORGANIZATION_MISMATCH']);
    expect(JSON.stringify(byParent.body)).not.toContain(policyId);
    // A sub-organization's user does not read its parent.
    const above = { ...owner.byPasskey, organizationId: enclave.parent.organizationId };
    expect((await replay(above, [id])).status).toBe(401);
  });

  test('cannot have activities of another organization replayed in its own', async () => {
    const id = await signed();
    const neighbour = await createResident(enclave.wire, enclave.parent, 'neighbour');
    expect((await replay(neighbour.byPasskey, [id])).status).toBe(404);
    expect((await replay(enclave.parent, [id])).status).toBe(404);
    const denied = send(agent, ofSecret);
    const request = { body: denied.body, stamp: denied.stamp };
    const { status, body } = await query(enclave.wire, neighbour.byPasskey, 'explain_request', { request });
    expect(status).toBe(400);
    expect(JSON.stringify(body)).not.toContain(policyId);
  });
});

describe('an api that shows what it likes', () => {
  const alter = (change: (activity: ProvenActivity) => ProvenActivity | undefined) => {
    enclave.storage.answer = (fetch, rows) =>
      fetch.what === 'activities' && rows.what === 'activities'
        ? { ...rows, activities: rows.activities.flatMap((row) => change(row) ?? []) }
        : rows;
  };
  const flipped = (bytes: Uint8Array) => {
    const copy = Buffer.from(bytes);
    copy[copy.length - 1] = (copy.at(-1) as number) ^ 1;
    return copy;
  };

  test('cannot have a forged past replayed or explained', async () => {
    const [id, other] = [await signed(), await signed()];
    expect((await replay(agent, [id, other])).status).toBe(200);
    const rows = [...enclave.storage.tables.activities.values()];
    const rowOf = (wanted: string) => {
      const row = rows.find((each) => Buffer.from(each.id).toString('hex') === wanted.replaceAll('-', ''));
      if (!row) throw new Error('there is no such row');
      return row;
    };
    const forgeries: Record<string, (row: ProvenActivity) => ProvenActivity> = {
      'another content': (row) => ({ ...row, sealed: flipped(row.sealed) }),
      nonsense: (row) => ({ ...row, sealed: randomBytes(row.sealed.length) }),
      'another activity': (row) => ({ ...row, sealed: rowOf(other).sealed }),
      'another activity in its place': (row) => ({
        ...row,
        sealed: rowOf(other).sealed,
        leafIndex: rowOf(other).leafIndex,
      }),
      'another place': (row) => ({ ...row, leafIndex: row.leafIndex + 1 }),
      'a place beyond the log': (row) => ({ ...row, leafIndex: 2 ** 40 }),
      'a wrong proof': (row) => ({ ...row, path: randomBytes(row.path.length) }),
      'no proof': (row) => ({ ...row, path: Buffer.alloc(0) }),
      'another id': (row) => ({ ...row, id: rowOf(other).id }),
    };
    for (const [name, forge] of Object.entries(forgeries)) {
      alter(forge);
      for (const answer of [
        await replay(agent, [id]),
        await query(enclave.wire, agent, 'explain_activity', { activityId: id }),
      ]) {
        expect([answer.status, reasonOf(answer)], name).toEqual([503, 'ROW_INTEGRITY']);
      }
    }
    // What it hides is missed, not passed over.
    alter((row) => (Buffer.compare(row.id, rowOf(id).id) === 0 ? undefined : row));
    expect((await replay(agent, [id, other])).status).toBe(404);
  });

  test('cannot have other policies or another past replayed than was stamped', async () => {
    const id = await signed();
    const body = JSON.stringify({ organizationId: owner.organizationId, policies: [], activityIds: [id] });
    const stamp = agent.stamp(body);
    const altered = body.replace('"policies":[]', '"policies":[{"policyName":"x","effect":"EFFECT_ALLOW"}]');
    const answer = await enclave.wire({ kind: 'query', name: 'replay_policies', body: altered, stamp });
    expect([answer.status, reasonOf(answer)]).toEqual([401, 'SIGNATURE_INVALID']);
  });

  test('cannot turn a question about a request into the request, nor the request into a question', async () => {
    const denied = send(agent, ofSecret);
    await denied.answer;
    // The stamp over what was denied is no reader's question.
    for (const name of ['explain_request', 'replay_policies', 'explain_activity']) {
      const { status } = await enclave.wire({ kind: 'query', name, body: denied.body, stamp: denied.stamp });
      expect(status, name).toBe(400);
    }
    const body = JSON.stringify({
      organizationId: owner.organizationId,
      timestampMs: String(Date.now()),
      request: { body: denied.body, stamp: denied.stamp },
    });
    const stamp = owner.byApiKey.stamp(body);
    expect((await enclave.wire({ kind: 'query', name: 'explain_request', body, stamp })).status).toBe(200);
    expect((await enclave.wire({ kind: 'submit', name: 'sign_raw_payload', body, stamp })).status).toBe(400);
    // Whose stamp it was stays what counts: the owner could sign this.
    const asOwner = { kind: 'submit', name: 'sign_raw_payload', body: denied.body, stamp } as const;
    expect((await enclave.wire(asOwner)).status).toBe(401);
  });
});
