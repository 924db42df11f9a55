/** Policies in force, on the whole enclave: what they allow, deny and leave to others, for the bytes that are signed. */
import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeFunctionData, parseAbi, parseEther, serializeTransaction } from 'viem';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { generateApiKey } from '../../../src/stamping/make-api-key-stamp.ts';
import { type EnclaveInMemory, startEnclave } from '../../support/enclave-in-memory.ts';
import { addUser, createResident, type Member, type Resident } from '../../support/resident.ts';
import { activityBody, type Caller, query, resultOf, submit, type WireAnswer } from '../../support/wire.ts';

let enclave: EnclaveInMemory;
beforeAll(async () => {
  enclave = await startEnclave();
});
afterAll(() => enclave.remove());

let owner: Resident;
let agent: Member;
beforeEach(async () => {
  owner = await createResident(enclave.wire, enclave.parent, 'owner');
  agent = await addUser(enclave.wire, owner.byPasskey, 'agent');
});

type Policy = {
  effect?: string;
  condition?: string;
  consensus?: string;
  time?: string;
  language?: string;
  delaySeconds?: number;
};

const createPolicy = (policy: Policy) =>
  submit(enclave.wire, owner.byPasskey, 'create_policy', 'CREATE_POLICY_V3', {
    policyName: randomBytes(8).toString('hex'),
    effect: 'EFFECT_ALLOW',
    notes: '',
    ...policy,
  });
const policy = async (given: Policy) => resultOf(await createPolicy(given)).policyId as string;

const usdc = '0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48';
const transaction = (to = usdc, value = '0.01') =>
  serializeTransaction({
    chainId: 1,
    type: 'eip1559',
    nonce: 0,
    gas: 21_000n,
    to: to as `0x${string}`,
    value: parseEther(value),
  }).slice(2);

const signTransaction = (caller: Caller, unsignedTransaction: string) =>
  submit(enclave.wire, caller, 'sign_transaction', 'SIGN_TRANSACTION_V2', {
    signWith: owner.addresses[0],
    unsignedTransaction,
    type: 'TRANSACTION_TYPE_ETHEREUM',
  });
const payload = (caller: Caller) =>
  submit(enclave.wire, caller, 'sign_raw_payload', 'SIGN_RAW_PAYLOAD_V2', {
    signWith: owner.addresses[0],
    payload: randomBytes(32).toString('hex'),
    encoding: 'PAYLOAD_ENCODING_HEXADECIMAL',
    hashFunction: 'HASH_FUNCTION_NO_OP',
  });

const outcomeOf = ({ status, body }: WireAnswer) => body.activity?.status ?? `${status} ${body.message}`;
const completed = 'ACTIVITY_STATUS_COMPLETED';
const explicitly = '403 policy engine denied request explicitly';

describe('who may do what', () => {
  test('without a policy nobody but the root quorum, with the body that clients know', async () => {
    const { status, body } = await payload(agent);
    expect(status).toBe(403);
    expect(body).toEqual({ code: 7, message: expect.stringMatching(/^request not authorized/), details: [] });
    expect(outcomeOf(await payload(owner.byPasskey))).toBe(completed);
  });

  test('an allow gives what it says, about the very bytes that are signed', async () => {
    await policy({
      condition: `eth.tx.to == '${usdc.toUpperCase().replace('0X', '0x')}' && eth.tx.value <= 10000000000000000 && eth.tx.chain_id == 1`,
      consensus: `approvers.any(user, user.id == '${agent.userId}')`,
    });
    expect(outcomeOf(await signTransaction(agent, transaction()))).toBe(completed);
    expect(outcomeOf(await signTransaction(agent, transaction(usdc, '0.010000000000000001')))).toMatch(/^403/);
    expect(outcomeOf(await signTransaction(agent, transaction('0x000000000000000000000000000000000000dead')))).toMatch(
      /^403/,
    );
    expect(outcomeOf(await payload(agent))).toMatch(/^403/);
    const other = await addUser(enclave.wire, owner.byPasskey, 'other');
    expect(outcomeOf(await signTransaction(other, transaction()))).not.toBe(completed);
  });

  test('CEL says the same, with units and without case', async () => {
    await policy({
      language: 'cel',
      condition: `activity.kind == 'SIGN_TRANSACTION' && eth.tx.value <= 0.01 ether && eth.tx.to in ['${usdc}']`,
    });
    expect(outcomeOf(await signTransaction(agent, transaction()))).toBe(completed);
    expect(outcomeOf(await signTransaction(agent, transaction(usdc, '0.02')))).toMatch(/^403/);
  });

  test('a deny wins over an allow, says so, and does not bind the root quorum', async () => {
    await policy({ condition: "activity.action == 'SIGN'" });
    expect(outcomeOf(await payload(agent))).toBe(completed);
    await policy({ effect: 'EFFECT_DENY', condition: "activity.kind == 'SIGN_RAW_PAYLOAD'" });
    const { status, body } = await payload(agent);
    expect({ status, body }).toEqual({
      status: 403,
      body: { code: 7, message: 'policy engine denied request explicitly', details: [] },
    });
    expect(outcomeOf(await signTransaction(agent, transaction()))).toBe(completed);
    expect(outcomeOf(await payload(owner.byPasskey))).toBe(completed);
  });

  test('a deny that errs denies, unless the activity only lacks what it speaks of', async () => {
    await policy({ condition: "activity.action == 'SIGN'" });
    await policy({ effect: 'EFFECT_DENY', condition: "eth.tx.data[0..10] == '0xa9059cbb'" });
    expect(outcomeOf(await payload(agent))).toBe(completed);
    expect(outcomeOf(await signTransaction(agent, transaction()))).toBe(explicitly);
  });

  test('of several payloads every one has to be allowed', async () => {
    await policy({ language: 'cel', condition: 'has(payload.text) && payload.text.startsWith("ok")' });
    const sign = (payloads: string[]) =>
      submit(enclave.wire, agent, 'sign_raw_payloads', 'SIGN_RAW_PAYLOADS', {
        signWith: owner.addresses[0],
        payloads,
        encoding: 'PAYLOAD_ENCODING_TEXT_UTF8',
        hashFunction: 'HASH_FUNCTION_KECCAK256',
      });
    expect(outcomeOf(await sign(['ok 1', 'ok 2']))).toBe(completed);
    expect(outcomeOf(await sign(['ok 1', 'not ok']))).toMatch(/^403/);
  });

  test('users still manage their own credentials, and only a deny takes that from them', async () => {
    const add = (userId: string) =>
      submit(enclave.wire, agent, 'create_api_keys', 'CREATE_API_KEYS_V2', {
        userId,
        apiKeys: [{ apiKeyName: 'more', publicKey: generateApiKey().publicKey, curveType: 'API_KEY_CURVE_P256' }],
      });
    expect(outcomeOf(await add(agent.userId))).toBe(completed);
    expect(outcomeOf(await add(owner.userId))).toMatch(/^403/);
    await policy({ effect: 'EFFECT_DENY', condition: "activity.resource == 'CREDENTIAL'" });
    expect(outcomeOf(await add(agent.userId))).toBe(explicitly);
  });
});

describe('consensus by policy', () => {
  const fingerprintOf = (body: string) => `sha256:${createHash('sha256').update(body).digest('hex')}`;
  const start = async () => {
    const body = activityBody(owner.organizationId, 'ACTIVITY_TYPE_SIGN_TRANSACTION_V2', {
      signWith: owner.addresses[0],
      unsignedTransaction: transaction(),
      type: 'TRANSACTION_TYPE_ETHEREUM',
    });
    const answer = await enclave.wire({ kind: 'submit', name: 'sign_transaction', body, stamp: agent.stamp(body) });
    return { answer, fingerprint: fingerprintOf(body) };
  };
  const approve = (caller: Caller, fingerprint: string) =>
    submit(enclave.wire, caller, 'approve_activity', 'APPROVE_ACTIVITY', { fingerprint });

  test('waits for those whom it names, whoever else approves', async () => {
    const [officer, bystander] = [
      await addUser(enclave.wire, owner.byPasskey, 'officer'),
      await addUser(enclave.wire, owner.byPasskey, 'bystander'),
    ];
    await policy({
      condition: "activity.kind == 'SIGN_TRANSACTION'",
      consensus: `approvers.any(u, u.id == '${agent.userId}') && approvers.any(u, u.id == '${officer.userId}')`,
    });
    const { answer, fingerprint } = await start();
    expect(outcomeOf(answer)).toBe('ACTIVITY_STATUS_CONSENSUS_NEEDED');
    expect(outcomeOf(await approve(bystander, fingerprint))).toBe('ACTIVITY_STATUS_CONSENSUS_NEEDED');
    const done = await approve(officer, fingerprint);
    expect(resultOf(done).signedTransaction).toMatch(/^02/);
  });

  test('is decided by the policies of the moment, not of the start', async () => {
    const officer = await addUser(enclave.wire, owner.byPasskey, 'officer');
    const id = await policy({ condition: "activity.kind == 'SIGN_TRANSACTION'", consensus: 'approvers.count() >= 2' });
    const { fingerprint } = await start();
    const stricter = await submit(enclave.wire, owner.byPasskey, 'update_policy', 'UPDATE_POLICY_V2', {
      policyId: id,
      policyCondition: "activity.kind == 'SIGN_RAW_PAYLOAD'",
    });
    expect(outcomeOf(stricter)).toBe(completed);
    expect(outcomeOf(await approve(officer, fingerprint))).toBe('ACTIVITY_STATUS_REJECTED');
  });

  test('the root quorum may always approve', async () => {
    await policy({ condition: "activity.kind == 'SIGN_TRANSACTION'", consensus: 'approvers.count() >= 3' });
    await addUser(enclave.wire, owner.byPasskey, 'second');
    await addUser(enclave.wire, owner.byPasskey, 'third');
    const { answer, fingerprint } = await start();
    expect(outcomeOf(answer)).toBe('ACTIVITY_STATUS_CONSENSUS_NEEDED');
    expect(outcomeOf(await approve(owner.byPasskey, fingerprint))).toBe(completed);
  });
});

describe('guards', () => {
  const cap = (delaySeconds: number) => ({
    effect: 'EFFECT_GUARD',
    condition: 'eth.tx.value > 10000000000000000',
    delaySeconds,
  });
  const remove = (policyId: string) =>
    submit(enclave.wire, owner.byPasskey, 'delete_policy', 'DELETE_POLICY', { policyId });
  const vote = (caller: Caller, name: 'approve' | 'reject', fingerprint: unknown) =>
    submit(enclave.wire, caller, `${name}_activity`, `${name.toUpperCase()}_ACTIVITY`, { fingerprint });
  const fingerprintOf = ({ body }: WireAnswer) => (body.activity as unknown as { fingerprint: string }).fingerprint;

  test('bind the passkey of the root user at once', async () => {
    const large = transaction(usdc, '1');
    expect(outcomeOf(await signTransaction(owner.byPasskey, large))).toBe(completed);
    await policy(cap(3600));
    expect(outcomeOf(await signTransaction(owner.byPasskey, large))).toBe(explicitly);
    expect(outcomeOf(await signTransaction(owner.byPasskey, transaction()))).toBe(completed);
    expect(outcomeOf(await payload(owner.byPasskey))).toBe(completed);
  });

  test('are not loosened before their delay has passed, and anybody may stop that', async () => {
    const id = await policy(cap(3600));
    const removal = await remove(id);
    expect(removal.body.activity).toMatchObject({
      status: 'ACTIVITY_STATUS_PENDING',
      waitsUntil: { seconds: expect.stringMatching(/^\d+$/) },
    });
    const fingerprint = fingerprintOf(removal);
    expect(outcomeOf(await vote(owner.byPasskey, 'approve', fingerprint))).toBe('ACTIVITY_STATUS_PENDING');
    expect(outcomeOf(await signTransaction(owner.byPasskey, transaction(usdc, '1')))).toBe(explicitly);
    expect(outcomeOf(await vote(owner.byApiKey, 'reject', fingerprint))).toBe('ACTIVITY_STATUS_REJECTED');

    for (const change of [{ policyCondition: 'false' }, { delaySeconds: 0 }, { policyEffect: 'EFFECT_DENY' }]) {
      const update = { policyId: id, ...change };
      const changed = await submit(enclave.wire, owner.byPasskey, 'update_policy', 'UPDATE_POLICY_V2', update);
      expect(outcomeOf(changed)).toBe('ACTIVITY_STATUS_PENDING');
      await enclave.restart();
      expect(outcomeOf(await vote(agent, 'reject', fingerprintOf(changed)))).toBe('ACTIVITY_STATUS_REJECTED');
    }
    const renamed = { policyId: id, policyName: 'cap' };
    expect(outcomeOf(await submit(enclave.wire, owner.byPasskey, 'update_policy', 'UPDATE_POLICY_V2', renamed))).toBe(
      completed,
    );
  });

  test('are loosened after it by one more approval', async () => {
    const id = await policy(cap(1));
    const fingerprint = fingerprintOf(await remove(id));
    expect(outcomeOf(await vote(owner.byPasskey, 'approve', fingerprint))).toBe('ACTIVITY_STATUS_PENDING');
    await sleep(1100);
    expect(outcomeOf(await vote(owner.byPasskey, 'approve', fingerprint))).toBe(completed);
    expect(outcomeOf(await signTransaction(owner.byPasskey, transaction(usdc, '1')))).toBe(completed);
  });

  test('only they have a delay', async () => {
    const { status, body } = await createPolicy({ condition: 'true', delaySeconds: 5 });
    expect(status).toBe(400);
    expect(body.message).toContain('only with EFFECT_GUARD');
  });
});

describe('what was spent before', () => {
  const daily = {
    effect: 'EFFECT_GUARD',
    language: 'cel',
    condition: "activity.action == 'SIGN' && spent('eip155:1', '24h') + spending('eip155:1') > 0.03 ether",
    delaySeconds: 3600,
  };

  test('a daily limit binds the root user, across restarts, and counts only what was signed', async () => {
    await policy(daily);
    expect(outcomeOf(await signTransaction(owner.byPasskey, transaction(usdc, '0.04')))).toBe(explicitly);
    expect(outcomeOf(await signTransaction(owner.byPasskey, transaction(usdc, '0.02')))).toBe(completed);
    expect(outcomeOf(await signTransaction(owner.byPasskey, transaction(usdc, '0.02')))).toBe(explicitly);
    await enclave.restart();
    expect(outcomeOf(await signTransaction(owner.byPasskey, transaction(usdc, '0.010000000000000001')))).toBe(
      explicitly,
    );
    expect(outcomeOf(await signTransaction(owner.byPasskey, transaction(usdc, '0.01')))).toBe(completed);
    expect(outcomeOf(await signTransaction(owner.byPasskey, transaction(usdc, '0.000000000000000001')))).toBe(
      explicitly,
    );
  });

  test('what cannot be read is not let past a limit', async () => {
    await policy(daily);
    expect(outcomeOf(await payload(owner.byPasskey))).toBe(explicitly);
    const unreadable = serializeTransaction({
      chainId: 1,
      type: 'eip1559',
      to: usdc,
      gas: 90_000n,
      data: '0xdeadbeef00',
    }).slice(2);
    expect(outcomeOf(await signTransaction(owner.byPasskey, unreadable))).toBe(explicitly);
    const text = await submit(enclave.wire, owner.byPasskey, 'sign_raw_payload', 'SIGN_RAW_PAYLOAD_V2', {
      signWith: owner.addresses[0],
      payload: `0x${Buffer.from('\x19Ethereum Signed Message:\n5hello').toString('hex')}`,
      encoding: 'PAYLOAD_ENCODING_HEXADECIMAL',
      hashFunction: 'HASH_FUNCTION_KECCAK256',
    });
    expect(outcomeOf(text)).toBe(completed);
  });

  test('tokens count by their contract, transfers and allowances alike', async () => {
    await policy({ ...daily, condition: `spent('eip155:1/${usdc}', '7d') + spending('eip155:1/${usdc}') > 100 usdc` });
    const abi = parseAbi([
      'function transfer(address to, uint256 amount)',
      'function approve(address spender, uint256 amount)',
    ]);
    const call = (functionName: 'transfer' | 'approve', amount: bigint) =>
      serializeTransaction({
        chainId: 1,
        type: 'eip1559',
        to: usdc,
        gas: 90_000n,
        data: encodeFunctionData({ abi, functionName, args: [owner.addresses[1] as `0x${string}`, amount] }),
      }).slice(2);
    expect(outcomeOf(await signTransaction(owner.byPasskey, call('transfer', 60_000_000n)))).toBe(completed);
    expect(outcomeOf(await signTransaction(owner.byPasskey, call('approve', 60_000_000n)))).toBe(explicitly);
    expect(outcomeOf(await signTransaction(owner.byPasskey, call('transfer', 40_000_000n)))).toBe(completed);
    expect(outcomeOf(await signTransaction(owner.byPasskey, call('transfer', 1n)))).toBe(explicitly);
  });

  test('activities are counted by kind', async () => {
    await policy({
      ...daily,
      condition: "activity.kind == 'SIGN_RAW_PAYLOAD' && activities('SIGN_RAW_PAYLOAD', '1h') >= 2",
    });
    const outcomes = [];
    for (let count = 0; count < 3; count++) outcomes.push(outcomeOf(await payload(owner.byPasskey)));
    expect(outcomes).toEqual([completed, completed, explicitly]);
    expect(outcomeOf(await signTransaction(owner.byPasskey, transaction()))).toBe(completed);
  });
});

describe('mistakes are told when a policy is saved', () => {
  test.each<[Policy, string, string]>([
    [{ condition: "eth.tx.too == ''" }, 'condition', 'invalid policy condition'],
    [{ consensus: 'approvers.count() >' }, 'consensus', 'invalid policy consensus'],
    [{ condition: "approvers.any(u, u.id == 'x')" }, 'condition', 'invalid policy condition'],
    [{ condition: 'eth.tx.value' }, 'condition', 'invalid policy condition'],
    [{ condition: "eth.tx.value == '1'" }, 'condition', 'invalid policy condition'],
    [{ language: 'cel', condition: "spent('ETH', '24h') > 1" }, 'condition', 'invalid policy condition'],
    [{ language: 'cel', condition: "spent('eip155:1', '40d') > 1" }, 'condition', 'invalid policy condition'],
    [{ time: "CronSpan('* * *', '1h', 'UTC')" }, 'time', 'invalid policy time'],
  ])('%j', async (given, clause, message) => {
    const { status, body } = await createPolicy(given);
    expect(status).toBe(400);
    expect(body.message).toContain(message);
    expect(body.message).toContain('^');
    expect(JSON.stringify(body.details)).toContain(`"field":"parameters.${clause}"`);
  });

  test('nothing is stored, and a change for the worse is refused as well', async () => {
    const id = await policy({ condition: 'true' });
    const changed = await submit(enclave.wire, owner.byPasskey, 'update_policy', 'UPDATE_POLICY_V2', {
      policyId: id,
      policyConsensus: 'approvers.size() > true',
    });
    expect(changed.status).toBe(400);
    expect(JSON.stringify(changed.body.details)).toContain('"field":"parameters.policyConsensus"');
    const { body } = await query(enclave.wire, owner.byPasskey, 'list_policies');
    expect(body.policies).toMatchObject([{ policyId: id, condition: 'true', consensus: '' }]);
  });
});
