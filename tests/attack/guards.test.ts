/** Whoever holds the root user's key or another of the organization, against the guards and limits that bind it too. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeFunctionData, erc20Abi, type Hex, parseAbi, serializeTransaction } from 'viem';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type EnclaveInMemory, startEnclave } from '../support/enclave-in-memory.ts';
import { addUser, createResident, ethereumAccount, type Resident } from '../support/resident.ts';
import { type Caller, resultOf, submit, type WireAnswer } from '../support/wire.ts';

let enclave: EnclaveInMemory;
beforeAll(async () => {
  enclave = await startEnclave();
});
afterAll(() => enclave.remove());
let owner: Resident;
beforeEach(async () => {
  owner = await createResident(enclave.wire, enclave.parent, 'owner');
});

const token = '0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48';
const mallory = `0x${'ee'.repeat(20)}` as Hex;

const send = (name: string, parameters: object, caller: Caller = owner.byPasskey) =>
  submit(enclave.wire, caller, name, name.toUpperCase(), parameters);
const create = (given: object, caller: Caller = owner.byPasskey) =>
  submit(enclave.wire, caller, 'create_policy', 'CREATE_POLICY_V3', {
    policyName: randomBytes(6).toString('hex'),
    effect: 'EFFECT_GUARD',
    language: 'cel',
    notes: '',
    ...given,
  });
const guard = async (given: object) => resultOf(await create(given)).policyId as string;
const call = (data: Hex, value = 0n) =>
  submit(enclave.wire, owner.byPasskey, 'sign_transaction', 'SIGN_TRANSACTION_V2', {
    signWith: owner.addresses[0],
    unsignedTransaction: serializeTransaction({
      chainId: 1,
      type: 'eip1559',
      nonce: Math.floor(Math.random() * 1e9),
      gas: 90_000n,
      to: token,
      value,
      data,
    }).slice(2),
    type: 'TRANSACTION_TYPE_ETHEREUM',
  });
const interfaceOf = (abi: object) =>
  send('create_smart_contract_interface', {
    smartContractAddress: token,
    smartContractInterface: JSON.stringify(abi),
    type: 'SMART_CONTRACT_INTERFACE_TYPE_ETHEREUM',
    label: 'token',
    notes: '',
  });
const upload = async (abi: object) => resultOf(await interfaceOf(abi));
const statusOf = ({ status, body }: WireAnswer) => (status === 200 ? body.activity?.status : status);
const fingerprintOf = ({ body }: WireAnswer) => (body.activity as unknown as { fingerprint: string }).fingerprint;
const completed = 'ACTIVITY_STATUS_COMPLETED';
const waiting = 'ACTIVITY_STATUS_CONSENSUS_NEEDED';

describe('an uploaded interface', () => {
  const limit = `activity.action == 'SIGN' && spent('eip155:1/${token}', '24h') + spending('eip155:1/${token}') > 0`;
  // Both have the selector 0xa9059cbb.
  const transfer = encodeFunctionData({ abi: erc20Abi, functionName: 'transfer', args: [mallory, 1n] });
  const collision = [
    {
      type: 'function',
      name: 'join_tg_invmru_haha_fd06787',
      inputs: [
        { name: 'a', type: 'address' },
        { name: 'b', type: 'bool' },
      ],
    },
  ];
  const push = parseAbi(['function push(address dst, uint256 wad)']);
  const pushed = encodeFunctionData({ abi: push, args: [mallory, 10n ** 9n] });

  test('cannot explain a transfer away by another function with its selector', async () => {
    await guard({ condition: limit });
    await guard({ condition: "activity.action == 'SIGN' && size(newRecipients()) > 0" });
    expect(statusOf(await call(transfer))).toBe(403);
    await upload(collision);
    expect(statusOf(await call(transfer))).toBe(403);
  });

  test('says what arguments are called, not that nothing is spent', async () => {
    await guard({ condition: limit });
    expect(statusOf(await call(pushed))).toBe(403);
    await upload(push);
    expect(statusOf(await call(pushed))).toBe(403);
  });

  test('nor who gets it', async () => {
    await guard({ condition: "activity.action == 'SIGN' && size(newRecipients()) > 0" });
    await upload(push);
    expect(statusOf(await call(pushed))).toBe(403);
  });

  test('that a guard reads calls by comes, and goes, as late as the guard would', async () => {
    const { smartContractInterfaceId } = await upload(push);
    await guard({
      condition: "activity.kind == 'SIGN_TRANSACTION' && eth.tx.function_name == 'push'",
      delaySeconds: 3600,
    });
    const waits = 'ACTIVITY_STATUS_PENDING';
    expect(statusOf(await send('delete_smart_contract_interface', { smartContractInterfaceId }))).toBe(waits);
    expect(statusOf(await interfaceOf(push))).toBe(waits);
    expect(statusOf(await call(pushed))).toBe(403);
  });

  test('does not stand in the way of a limit on what the call cannot move', async () => {
    await guard({ condition: "activity.action == 'SIGN' && spent('eip155:1', '24h') + spending('eip155:1') > 5" });
    await upload(push);
    expect(statusOf(await call(pushed, 5n))).toBe(completed);
    expect(statusOf(await call(pushed, 1n))).toBe(403);
  });
});

describe('a loosening that was asked for before', () => {
  test('waits for the delay that the guard has when it is carried out', async () => {
    const other = await addUser(enclave.wire, owner.byPasskey, 'second');
    const policyId = await guard({ condition: "activity.kind == 'CREATE_WALLET'" });
    // Whoever deletes a policy needs two; so this waits.
    const two = await guard({
      condition: "activity.kind == 'DELETE_POLICY'",
      consensus: 'size(approvers) < 2',
    });
    const asked = await send('delete_policy', { policyId });
    expect(statusOf(asked)).toBe(waiting);
    resultOf(
      await submit(enclave.wire, owner.byPasskey, 'update_policy', 'UPDATE_POLICY_V2', { policyId, delaySeconds: 2 }),
    );
    const fingerprint = fingerprintOf(asked);
    expect(statusOf(await send('approve_activity', { fingerprint }, other))).toBe('ACTIVITY_STATUS_PENDING');
    await sleep(2100);
    expect(statusOf(await send('approve_activity', { fingerprint }, other))).toBe(completed);
    expect(two).not.toBe(policyId);
  });
});

describe('what waits', () => {
  test('does not for ever when what it is about has gone', async () => {
    const other = await addUser(enclave.wire, owner.byPasskey, 'second');
    await guard({ condition: "activity.action == 'SIGN'", consensus: 'size(approvers) < 2' });
    const { walletId, addresses } = resultOf(
      await send('create_wallet', { walletName: 'spare', accounts: [ethereumAccount(0)] }),
    ) as { walletId: string; addresses: [string] };
    const asked = await submit(enclave.wire, owner.byPasskey, 'sign_raw_payload', 'SIGN_RAW_PAYLOAD_V2', {
      signWith: addresses[0],
      payload: randomBytes(32).toString('hex'),
      encoding: 'PAYLOAD_ENCODING_HEXADECIMAL',
      hashFunction: 'HASH_FUNCTION_NO_OP',
    });
    expect(statusOf(asked)).toBe(waiting);
    resultOf(await send('delete_wallets', { walletIds: [walletId], deleteWithoutExport: true }));
    const fingerprint = fingerprintOf(asked);
    expect(statusOf(await send('approve_activity', { fingerprint }, other))).toBe('ACTIVITY_STATUS_FAILED');
  });
});

describe('policies that take long', () => {
  const numbers = (count: number) => `[${Array.from({ length: count }, (_, index) => index).join()}]`;
  const slow = (seed: number) =>
    `${numbers(60)}.exists(a, ${numbers(60)}.exists(b, ${numbers(20)}.exists(c, a + b + c + ${seed} < 0 || activity.kind == 'X')))`;

  test('cannot be so many that a decision holds everybody up', async () => {
    const policies = Array.from({ length: 5 }, (_, index) => ({
      policyName: `slow ${index}`,
      effect: 'EFFECT_DENY',
      condition: slow(index),
      notes: '',
    }));
    const { status, body } = await send('create_policies', { policies });
    expect(status).toBe(429);
    expect(body.message).toContain('steps');
  });

  test('nor be asked about many payloads at once', async () => {
    resultOf(await create({ condition: slow(0) }));
    const started = performance.now();
    const { status, body } = await send('sign_raw_payloads', {
      signWith: owner.addresses[0],
      payloads: Array.from({ length: 100 }, () => randomBytes(32).toString('hex')),
      encoding: 'PAYLOAD_ENCODING_HEXADECIMAL',
      hashFunction: 'HASH_FUNCTION_NO_OP',
    });
    expect(performance.now() - started).toBeLessThan(1500);
    expect(status).toBe(429);
    expect(body.message).toContain('payloads');
  });

  test('nor hide in what binds users and keys', async () => {
    const { status, body } = await send('create_mfa_policy', {
      userId: owner.userId,
      mfaPolicyName: 'slow',
      condition: slow(0),
      requiredAuthenticationMethods: [{ any: [{ type: 'AUTHENTICATION_TYPE_PASSKEY' }] }],
      order: 0,
      notes: '',
    });
    expect(status).toBe(400);
    expect(body.message).toContain('steps');
    const profile = await send('create_session_profile', { sessionProfileName: 'slow', scope: slow(0) });
    expect(profile.status).toBe(400);
  });
});
