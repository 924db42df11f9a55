/** Attackers against policies, votes and limits: whoever has the database, and an api that shows what it likes. */
import { createHash, randomBytes } from 'node:crypto';
import { serializeTransaction } from 'viem';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { generateApiKey, makeApiKeyStamp } from '../../src/stamping/make-api-key-stamp.ts';
import { type EnclaveInMemory, startEnclave } from '../support/enclave-in-memory.ts';
import { hex } from '../support/memory-storage.ts';
import { createResident, type Resident } from '../support/resident.ts';
import { activityBody, type Caller, reasonOf, resultOf, submit, type WireAnswer } from '../support/wire.ts';

let enclave: EnclaveInMemory;
beforeAll(async () => {
  enclave = await startEnclave();
});
afterAll(() => enclave.remove());

let owner: Resident;
let agent: Caller & { readonly userId: string };
beforeEach(async () => {
  owner = await createResident(enclave.wire, enclave.parent, 'owner');
  const key = generateApiKey();
  const users = [
    { userName: 'agent', apiKeys: [{ apiKeyName: 'key', publicKey: key.publicKey }], authenticators: [], userTags: [] },
  ];
  const { userIds } = resultOf(
    await submit(enclave.wire, owner.byPasskey, 'create_users', 'CREATE_USERS_V2', { users }),
  );
  const [userId] = userIds as [string];
  agent = { organizationId: owner.organizationId, userId, stamp: (body) => makeApiKeyStamp(body, key) };
  await policy({ effect: 'EFFECT_ALLOW', condition: "activity.action == 'SIGN'" });
});

const policy = async (given: object) =>
  resultOf(
    await submit(enclave.wire, owner.byPasskey, 'create_policy', 'CREATE_POLICY_V3', {
      policyName: randomBytes(6).toString('hex'),
      notes: '',
      ...given,
    }),
  ).policyId as string;

const sign = (caller: Caller) =>
  submit(enclave.wire, caller, 'sign_raw_payload', 'SIGN_RAW_PAYLOAD_V2', {
    signWith: owner.addresses[0],
    payload: randomBytes(32).toString('hex'),
    encoding: 'PAYLOAD_ENCODING_HEXADECIMAL',
    hashFunction: 'HASH_FUNCTION_NO_OP',
  });
const pay = (caller: Caller, to = '0x000000000000000000000000000000000000dead', signWith = owner.addresses[0]) =>
  submit(enclave.wire, caller, 'sign_transaction', 'SIGN_TRANSACTION_V2', {
    signWith,
    unsignedTransaction: serializeTransaction({
      chainId: 1,
      type: 'eip1559',
      gas: 21_000n,
      nonce: Math.floor(Math.random() * 1e9),
      to: to as `0x${string}`,
      value: 10n ** 16n,
    }).slice(2),
    type: 'TRANSACTION_TYPE_ETHEREUM',
  });

const isRefused = ({ status }: WireAnswer) => status === 503;
const isOwn = (row: { readonly organizationId: Uint8Array }) =>
  hex(row.organizationId) === owner.organizationId.replaceAll('-', '');

type Table = 'heads' | 'pages';
/** What the organization's rows are now, to be shown again later. */
const rowsOf = (table: Table) =>
  [...(enclave.storage.tables[table] as Map<string, { readonly organizationId: Uint8Array }>)].filter(([, row]) =>
    isOwn(row),
  );
const show = (table: Table, rows: ReturnType<typeof rowsOf>) => {
  const all = enclave.storage.tables[table] as Map<string, unknown>;
  for (const [key] of rowsOf(table)) all.delete(key);
  for (const [key, row] of rows) all.set(key, row);
};
const kindOf = (row: unknown) => (row as { kind: string }).kind;

describe('the database', () => {
  test('cannot drop, empty or restore the policies', async () => {
    const before = rowsOf('pages');
    await policy({ effect: 'EFFECT_DENY', condition: "activity.kind == 'SIGN_RAW_PAYLOAD'" });
    expect((await sign(agent)).status).toBe(403);
    const now = rowsOf('pages');
    const oldPolicies = before.filter(([, row]) => kindOf(row) === 'policies');
    const others = now.filter(([, row]) => kindOf(row) !== 'policies');
    for (const shown of [before, others, [...others, ...oldPolicies]]) {
      show('pages', shown);
      await enclave.restart();
      expect(isRefused(await sign(agent))).toBe(true);
      expect(isRefused(await sign(owner.byPasskey))).toBe(true);
    }
    show('pages', now);
    expect((await sign(agent)).status).toBe(403);
  });

  test('cannot put the page of one organization in the place of another', async () => {
    const victim = rowsOf('pages');
    await policy({ effect: 'EFFECT_DENY', condition: 'true' });
    const denying = rowsOf('pages');
    const stranger = await createResident(enclave.wire, enclave.parent, 'stranger');
    const theirs = [...enclave.storage.tables.pages].filter(
      ([, row]) => hex(row.organizationId) === stranger.organizationId.replaceAll('-', ''),
    );
    const swapped = denying.map(([key, row]) => {
      const [, other] = theirs.find(([, each]) => kindOf(each) === kindOf(row)) ?? [key, row];
      return [key, { ...row, sealed: (other as unknown as { sealed: Uint8Array }).sealed }] as const;
    });
    show('pages', swapped as unknown as typeof victim);
    await enclave.restart();
    expect(isRefused(await sign(agent))).toBe(true);
    show('pages', denying);
  });

  test('cannot give a spent limit back', async () => {
    await policy({
      effect: 'EFFECT_GUARD',
      language: 'cel',
      condition: "activity.kind == 'SIGN_TRANSACTION' && spent('eip155:1', '24h') + spending('eip155:1') > 0.01 ether",
    });
    const fresh = rowsOf('heads');
    expect((await pay(owner.byPasskey)).status).toBe(200);
    expect((await pay(owner.byPasskey)).status).toBe(403);
    const spent = rowsOf('heads');
    show('heads', fresh);
    // Running, the enclave does not look; started anew, it finds the organization's row to be another than the anchored one.
    expect((await pay(owner.byPasskey)).status).toBe(403);
    const counters = spent.map(([key, row]) => {
      const [, old] = fresh.find(([each]) => each === key) ?? [key, row];
      return [key, { ...row, counters: (old as unknown as { counters: Uint8Array }).counters }] as const;
    });
    show('heads', counters as unknown as typeof spent);
    await enclave.restart();
    expect(isRefused(await pay(owner.byPasskey))).toBe(true);
    show('heads', spent);
    expect((await pay(owner.byPasskey)).status).toBe(403);
  });

  test('cannot make a pause between two signatures shorter', async () => {
    await policy({
      effect: 'EFFECT_GUARD',
      language: 'cel',
      condition: "activity.kind == 'SIGN_TRANSACTION' && sinceLast('SIGN_TRANSACTION') < duration('1h')",
    });
    const never = rowsOf('heads');
    expect((await pay(owner.byPasskey)).status).toBe(200);
    const signed = rowsOf('heads');
    for (const shown of [never, []]) {
      show('heads', shown);
      await enclave.restart();
      expect(isRefused(await pay(owner.byPasskey))).toBe(true);
    }
    show('heads', signed);
    expect((await pay(owner.byPasskey)).status).toBe(403);
  });

  test('cannot make an address known that nothing was signed for, nor have a known one asked about again', async () => {
    const attacker = '0x00000000000000000000000000000000000a77ac';
    const known = {
      effect: 'EFFECT_GUARD',
      language: 'cel',
      condition: `activity.kind == 'SIGN_TRANSACTION' && newRecipients().exists(to, to == '${attacker}')`,
    };
    // In an organization of the attacker's, where the address is known.
    const other = await createResident(enclave.wire, enclave.parent, 'attacker');
    const counting = {
      policyName: 'p',
      notes: '',
      effect: 'EFFECT_DENY',
      language: 'cel',
      condition: 'newRecipients() == []',
    };
    resultOf(await submit(enclave.wire, other.byPasskey, 'create_policy', 'CREATE_POLICY_V3', counting));
    expect((await pay(other.byPasskey, attacker, other.addresses[0])).status).toBe(200);
    const theirs = [...enclave.storage.tables.pages].find(
      ([, row]) =>
        hex(row.organizationId) === other.organizationId.replaceAll('-', '') && kindOf(row) === 'destinations',
    );

    await policy(known);
    expect((await pay(owner.byPasskey, '0x00000000000000000000000000000000000b0b0b')).status).toBe(200);
    expect((await pay(owner.byPasskey, attacker)).status).toBe(403);
    const now = rowsOf('pages');
    if (!theirs || !now.some(([, row]) => kindOf(row) === 'destinations')) throw new Error('no addresses are kept');
    const { sealed } = theirs[1];
    const swapped = now.map(([key, row]) => [key, kindOf(row) === 'destinations' ? { ...row, sealed } : row] as const);
    const dropped = now.filter(([, row]) => kindOf(row) !== 'destinations');
    for (const shown of [swapped, dropped]) {
      show('pages', shown as typeof now);
      await enclave.restart();
      expect(isRefused(await pay(owner.byPasskey, attacker))).toBe(true);
    }
    show('pages', now);
    expect((await pay(owner.byPasskey, attacker)).status).toBe(403);
  });

  test('cannot bring a rejected activity back, or take a rejection out', async () => {
    await policy({
      effect: 'EFFECT_DENY',
      condition: "activity.kind == 'SIGN_RAW_PAYLOAD'",
      consensus: 'approvers.count() < 2',
    });
    await submit(enclave.wire, owner.byPasskey, 'update_root_quorum', 'UPDATE_ROOT_QUORUM', {
      threshold: 2,
      userIds: [owner.userId, agent.userId],
    });
    const asked = await sign(agent);
    expect(asked.body.activity?.status).toBe('ACTIVITY_STATUS_CONSENSUS_NEEDED');
    const waiting = rowsOf('pages');
    const { fingerprint } = asked.body.activity as unknown as { fingerprint: string };
    await submit(enclave.wire, agent, 'reject_activity', 'REJECT_ACTIVITY', { fingerprint });
    const now = rowsOf('pages');
    show('pages', waiting);
    await enclave.restart();
    const approved = await submit(enclave.wire, owner.byPasskey, 'approve_activity', 'APPROVE_ACTIVITY', {
      fingerprint,
    });
    expect(isRefused(approved)).toBe(true);
    show('pages', now);
    const again = await submit(enclave.wire, owner.byPasskey, 'approve_activity', 'APPROVE_ACTIVITY', { fingerprint });
    expect(again.body.activity?.status).toBe('ACTIVITY_STATUS_REJECTED');
  });
});

describe('an api that shows what it likes', () => {
  const fingerprintOf = (body: string) => `sha256:${createHash('sha256').update(body).digest('hex')}`;
  const ask = (caller: Caller) => {
    const body = activityBody(owner.organizationId, 'ACTIVITY_TYPE_SIGN_RAW_PAYLOAD_V2', {
      signWith: owner.addresses[0],
      payload: randomBytes(32).toString('hex'),
      encoding: 'PAYLOAD_ENCODING_HEXADECIMAL',
      hashFunction: 'HASH_FUNCTION_NO_OP',
    });
    return {
      body,
      send: () => enclave.wire({ kind: 'submit', name: 'sign_raw_payload', body, stamp: caller.stamp(body) }),
    };
  };
  const approval = (fingerprint: string) =>
    activityBody(owner.organizationId, 'ACTIVITY_TYPE_APPROVE_ACTIVITY', { fingerprint });

  beforeEach(async () => {
    // Only the two of the root quorum together get past it.
    await policy({ effect: 'EFFECT_DENY', condition: "activity.action == 'SIGN'" });
    await submit(enclave.wire, owner.byPasskey, 'update_root_quorum', 'UPDATE_ROOT_QUORUM', {
      threshold: 2,
      userIds: [owner.userId, agent.userId],
    });
  });

  test('cannot turn a vote to another activity, another selection or another organization', async () => {
    const [first, second] = [ask(owner.byPasskey), ask(owner.byPasskey)];
    await first.send();
    await second.send();
    const body = approval(fingerprintOf(first.body));
    const stamp = agent.stamp(body);
    const altered = body.replace(fingerprintOf(first.body), fingerprintOf(second.body));
    const sent = await enclave.wire({ kind: 'submit', name: 'approve_activity', body: altered, stamp });
    expect([sent.status, reasonOf(sent)]).toEqual([401, 'SIGNATURE_INVALID']);
    const path = await enclave.wire({ kind: 'submit', name: 'reject_activity', body, stamp });
    expect(path.status).toBe(400);
    const approved = await enclave.wire({ kind: 'submit', name: 'approve_activity', body, stamp });
    expect(approved.body.activity?.status).toBe('ACTIVITY_STATUS_COMPLETED');
    // The vote is spent: shown again it finds what was decided, and the other activity still waits.
    expect((await enclave.wire({ kind: 'submit', name: 'approve_activity', body, stamp })).body).toEqual(approved.body);
    expect((await second.send()).body.activity?.status).toBe('ACTIVITY_STATUS_CONSENSUS_NEEDED');
  });

  test('cannot have one user vote twice by two of its credentials', async () => {
    const asked = ask(owner.byPasskey);
    await asked.send();
    const body = approval(fingerprintOf(asked.body));
    const stamp = owner.byApiKey.stamp(body);
    const voted = await enclave.wire({ kind: 'submit', name: 'approve_activity', body, stamp });
    expect(voted.body.activity?.status).toBe('ACTIVITY_STATUS_CONSENSUS_NEEDED');
  });

  test('cannot put a vote of an altered body under the activity that was asked for', async () => {
    const asked = ask(owner.byPasskey);
    await asked.send();
    const lookalike = asked.body.replace('HASH_FUNCTION_NO_OP', 'HASH_FUNCTION_SHA256');
    const body = approval(fingerprintOf(lookalike));
    const voted = await enclave.wire({ kind: 'submit', name: 'approve_activity', body, stamp: agent.stamp(body) });
    expect(voted.status).toBe(404);
    expect((await asked.send()).body.activity?.status).toBe('ACTIVITY_STATUS_CONSENSUS_NEEDED');
  });
});
