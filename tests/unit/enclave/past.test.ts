/** What policies ask about the past besides sums: to whom nothing went before, how long ago, and conditions of one's own. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeFunctionData, erc20Abi, type Hex, multicall3Abi, parseEther, serializeTransaction } from 'viem';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { signingFacts } from '../../../src/decode/facts/signing-facts.ts';
import { destinationsOf } from '../../../src/enclave/destinations.ts';
import { countPast, countWindows, historyFacts } from '../../../src/enclave/past.ts';
import { type Counters, noContent, type Organization } from '../../../src/enclave/state.ts';
import { parseCel } from '../../../src/policy/cel/parse.ts';
import type { Facts } from '../../../src/policy/values.ts';
import { maxDestinations, type Window, windowKey, windowsOf } from '../../../src/policy/windows.ts';
import { type EnclaveInMemory, startEnclave } from '../../support/enclave-in-memory.ts';
import { addUser, createResident, type Resident } from '../../support/resident.ts';
import { type Caller, resultOf, submit, type WireAnswer } from '../../support/wire.ts';

const usdc = '0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48';
const [alice, bob, carol] = ['a1', 'b2', 'c3'].map((byte) => `0x${byte.repeat(20)}`) as [Hex, Hex, Hex];
const token = (to: Hex, amount: bigint): Hex =>
  encodeFunctionData({ abi: erc20Abi, functionName: 'transfer', args: [to, amount] });

type Transaction = { readonly to?: Hex; readonly value?: string; readonly data?: Hex; readonly chainId?: number };
const serialize = ({ to = alice, value = '0', data, chainId = 1 }: Transaction): string =>
  serializeTransaction({
    chainId,
    type: 'eip1559',
    nonce: Math.floor(Math.random() * 1e9),
    gas: 90_000n,
    to,
    value: parseEther(value),
    ...(data && { data }),
  }).slice(2);

describe('in force', () => {
  let enclave: EnclaveInMemory;
  beforeAll(async () => {
    enclave = await startEnclave();
  });
  afterAll(() => enclave.remove());
  let owner: Resident;
  beforeEach(async () => {
    owner = await createResident(enclave.wire, enclave.parent, 'owner');
  });

  const guard = async (condition: string, consensus?: string) =>
    resultOf(
      await submit(enclave.wire, owner.byPasskey, 'create_policy', 'CREATE_POLICY_V3', {
        policyName: randomBytes(8).toString('hex'),
        effect: 'EFFECT_GUARD',
        language: 'cel',
        notes: '',
        condition,
        ...(consensus && { consensus }),
      }),
    );
  const outcomeOf = ({ status, body }: WireAnswer) => (status === 200 ? body.activity?.status : status);
  const completed = 'ACTIVITY_STATUS_COMPLETED';
  const waiting = 'ACTIVITY_STATUS_CONSENSUS_NEEDED';
  const sign = (transaction: Transaction, caller: Caller = owner.byPasskey) =>
    submit(enclave.wire, caller, 'sign_transaction', 'SIGN_TRANSACTION_V2', {
      signWith: owner.addresses[0],
      unsignedTransaction: serialize(transaction),
      type: 'TRANSACTION_TYPE_ETHEREUM',
    });
  const signDigest = () =>
    submit(enclave.wire, owner.byPasskey, 'sign_raw_payload', 'SIGN_RAW_PAYLOAD_V2', {
      signWith: owner.addresses[0],
      payload: randomBytes(32).toString('hex'),
      encoding: 'PAYLOAD_ENCODING_HEXADECIMAL',
      hashFunction: 'HASH_FUNCTION_NO_OP',
    });

  test('a new recipient needs a second person, once, also after a restart', async () => {
    const second = await addUser(enclave.wire, owner.byPasskey, 'two');
    await guard("activity.action == 'SIGN' && size(newRecipients()) > 0", 'size(approvers) < 2');

    const first = await sign({ to: bob, value: '0.1' });
    expect(outcomeOf(first)).toBe(waiting);
    // What waits is not signed.
    expect(outcomeOf(await sign({ to: bob, value: '0.2' }))).toBe(waiting);
    const { fingerprint } = first.body.activity as unknown as { fingerprint: string };
    const approved = await submit(enclave.wire, second, 'approve_activity', 'APPROVE_ACTIVITY', { fingerprint });
    expect(outcomeOf(approved)).toBe(completed);
    expect(outcomeOf(await sign({ to: bob, value: '0.3' }))).toBe(completed);
    await enclave.restart();
    expect(outcomeOf(await sign({ to: bob, value: '0.4' }))).toBe(completed);
    // Neither another chain, nor another person, nor a token's recipient, nor a payload that nobody can read.
    expect(outcomeOf(await sign({ to: bob, value: '0.1', chainId: 10 }))).toBe(waiting);
    expect(outcomeOf(await sign({ to: carol, value: '0.1' }))).toBe(waiting);
    expect(outcomeOf(await sign({ to: usdc, data: token(carol, 1n) }))).toBe(waiting);
    expect(outcomeOf(await signDigest())).not.toBe(completed);
    // A transfer of nothing is for nobody, and makes nobody known.
    expect(outcomeOf(await sign({ to: usdc, data: token(carol, 0n) }))).toBe(completed);
    expect(outcomeOf(await sign({ to: usdc, data: token(carol, 1n) }))).toBe(waiting);
    expect(outcomeOf(await sign({ to: usdc, data: token(bob, 1n) }))).toBe(completed);
  });

  test('a pause between two signatures is kept, across a restart', async () => {
    await guard("activity.kind == 'SIGN_TRANSACTION' && sinceLast('SIGN_TRANSACTION') < duration('4s')");
    expect(outcomeOf(await sign({}))).toBe(completed);
    const signed = Date.now();
    expect(outcomeOf(await sign({}))).toBe(403);
    await enclave.restart();
    expect(outcomeOf(await sign({}))).toBe(403);
    await sleep(Math.max(0, signed + 4_100 - Date.now()));
    expect(outcomeOf(await sign({}))).toBe(completed);
  });

  test('of requests in one batch the later see what the earlier did', async () => {
    await guard("activity.kind == 'SIGN_TRANSACTION' && sinceLast('SIGN_TRANSACTION') < duration('1h')");
    const answers = await Promise.all([1, 2, 3, 4].map(() => sign({})));
    expect(answers.map(outcomeOf).toSorted()).toEqual([403, 403, 403, completed]);
  });

  test('conditions of one`s own are counted', async () => {
    const large = 'eth.tx.value > 0.5 ether';
    await guard(`${large} && (activities(${large}, '24h') >= 1 || sinceLast(${large}) < duration('1h'))`);
    expect(outcomeOf(await sign({ value: '0.4' }))).toBe(completed);
    expect(outcomeOf(await sign({ value: '0.6' }))).toBe(completed);
    expect(outcomeOf(await sign({ value: '0.4' }))).toBe(completed);
    expect(outcomeOf(await sign({ value: '0.6' }))).toBe(403);
  });

  test('no more is asked about than is kept', async () => {
    const asking = (first: number) =>
      Array.from({ length: 16 }, (_, index) => `spent('eip155:${first + index}', '1h') > 1`).join(' || ');
    const create = (condition: string) =>
      submit(enclave.wire, owner.byPasskey, 'create_policy', 'CREATE_POLICY_V3', {
        policyName: randomBytes(8).toString('hex'),
        effect: 'EFFECT_DENY',
        language: 'cel',
        notes: '',
        condition,
      });
    for (const first of [0, 16, 32, 48, 0]) expect((await create(asking(first))).status).toBe(200);
    const refused = await create("sinceLast('SIGN_TRANSACTION') < duration('1h')");
    expect([refused.status, refused.body.message]).toEqual([
      429,
      expect.stringContaining('64 questions about the past'),
    ]);
    expect((await create("activity.kind == 'SIGN_TRANSACTION'")).status).toBe(200);
    expect((await create(`${asking(0)} || spent('eip155:1', '2h') > 1`)).body.message).toContain('more than 16 times');
  });

  test.each([
    ["sinceLast('sign') < duration('1h')", '`sinceLast` takes a kind of activity'],
    ["sinceLast() < duration('1h')", '`sinceLast` takes a kind of activity'],
    ["activities(eth.tx.value, '1h') > 1", 'the condition is uint'],
    ["activities(activities('SIGN_TRANSACTION', '1h') > 1, '1h') > 1", 'cannot ask about their past'],
    ["eth.tx.calls.exists(c, sinceLast(eth.tx.to == c.to) < duration('1h'))", 'there is no `c` here'],
    ["newRecipients('eip155:1') == []", '`newRecipients` takes nothing'],
    ["sinceLast('SIGN_TRANSACTION') < 3600", 'duration'],
  ])('%s is refused', async (condition, message) => {
    const { status, body } = await submit(enclave.wire, owner.byPasskey, 'create_policy', 'CREATE_POLICY_V3', {
      policyName: 'p',
      effect: 'EFFECT_DENY',
      language: 'cel',
      notes: '',
      condition,
    });
    expect(status).toBe(400);
    expect(JSON.stringify(body)).toContain(message);
  });
});

const noCounters: Counters = { signCounts: {} };
const recipients: Window = { of: 'recipients', what: '', length: 0 };
const contracts: Window = { of: 'contracts', what: '', length: 0 };
const both = [recipients, contracts];
const start = 1_750_000_000_000;
const deedOf = (transaction: Transaction) => ({
  kind: 'SIGN_TRANSACTION',
  signer: alice,
  accounts: [],
  facts: signingFacts(
    'sign_transaction',
    { signWith: alice, unsignedTransaction: serialize(transaction), type: 'TRANSACTION_TYPE_ETHEREUM' } as never,
    { address: alice, interfaceOf: () => undefined } as never,
  ) as readonly Facts[],
});
const empty = { ...noContent, counters: noCounters } as unknown as Organization;
const newOf = (kept: Organization, transaction: Transaction) => {
  const history = historyFacts(both, kept, deedOf(transaction), start, 0);
  return both.map((window) => history.get(windowKey(window)));
};

describe('destinations', () => {
  const multicall = (calls: readonly { readonly target: Hex; readonly callData: Hex }[]): Hex =>
    encodeFunctionData({
      abi: multicall3Abi,
      functionName: 'aggregate3',
      args: [calls.map((call) => ({ ...call, allowFailure: false }))],
    });

  test('of a signature are who gets something and which contracts are called', () => {
    const of = (transaction: Transaction) => {
      const { recipients, contracts } = destinationsOf(deedOf(transaction).facts, alice);
      return [recipients && [...recipients], contracts && [...contracts]];
    };
    const on = (...addresses: readonly string[]) => addresses.map((address) => `eip155:1/${address}`);
    expect(of({ to: bob, value: '1' })).toEqual([on(bob), []]);
    expect(of({ to: usdc, data: token(bob, 1n) })).toEqual([on(bob), on(usdc)]);
    const inner = [{ target: usdc as Hex, callData: token(carol, 1n) }];
    expect(of({ to: bob, data: multicall(inner) })).toEqual([on(carol), on(bob, usdc)]);
    // What comes back is no destination.
    expect(of({ to: usdc, data: token(alice, 1n) })).toEqual([[], on(usdc)]);
    // An unknown function of a known contract, the same inside, and a batch that cannot be read.
    expect(of({ to: usdc, data: '0xdeadbeef' })).toEqual([null, on(usdc)]);
    const unknown = multicall([{ target: carol, callData: '0xdeadbeef' }]);
    expect(of({ to: bob, data: unknown })).toEqual([null, on(bob, carol)]);
    expect(of({ to: bob, data: `${unknown}00` })).toEqual([null, null]);
  });

  test('of a user operation are those of the calls of its account, which is no destination itself', () => {
    const call = { kind: 'call', to: usdc, data: '0xa9059cbb', depth: 0n, batch: false };
    const transfers = [bob, carol].map((to) => ({ to, amount: 5n }));
    const userop = { chain_id: 10n, sender: carol, opaque: false, calls: [call], calls_complete: true, transfers };
    const of = (...facts: readonly object[]) => destinationsOf(facts as unknown as readonly Facts[], alice);
    const on = (address: string) => new Set([`eip155:10/${address}`]);
    expect(of({ userop })).toEqual({ recipients: on(bob), contracts: on(usdc) });
    expect(of({ userop: { ...userop, opaque: true } })).toEqual({ recipients: null, contracts: null });
    // The authorization that goes along.
    const eth = { eip_7702_authorization: { chain_id: 10n, address: usdc } };
    expect(of({ userop, eth })).toEqual({ recipients: new Set(), contracts: on(usdc) });
    expect(of({ eth, payload: { kind: 'authorization' } })).toEqual({ recipients: null, contracts: on(usdc) });
  });

  test('are new until something was signed for them, and never where it cannot be told', () => {
    expect(newOf(empty, { to: usdc, data: token(bob, 1n) })).toEqual([[bob], [usdc]]);
    const once = countPast(empty, both, deedOf({ to: usdc, data: token(bob, 1n) }), start);
    expect(newOf(once, { to: usdc, data: token(bob, 1n) })).toEqual([[], []]);
    // To be called is one thing, to be paid another.
    expect(newOf(once, { to: usdc, value: '1' })).toEqual([[usdc], []]);
    expect(newOf(once, { to: carol, data: '0xdeadbeef' })).toEqual([undefined, [carol]]);
    expect(countPast(once, both, deedOf({ to: usdc, data: '0xdeadbeef' }), start).destinations).toBe(once.destinations);
  });

  test('beyond the bound are neither new nor known: who asks gets no answer', () => {
    const ids = Array.from({ length: maxDestinations - 1 }, (_, index) => ({ id: `contracts/eip155:1/${index}` }));
    const destinations = new Map(ids.map((each) => [each.id, each]));
    const full = countPast({ ...empty, destinations }, both, deedOf({ to: bob, value: '1' }), start);
    expect(full.destinations.size).toBe(maxDestinations);
    const more = countPast(full, both, deedOf({ to: carol, value: '1' }), start);
    expect(more.destinations).toBe(full.destinations);
    expect(newOf(more, { to: carol, value: '1' })).toEqual([null, []]);
    expect(newOf(more, { to: bob, value: '1' })).toEqual([[], []]);
  });

  test('are forgotten once no policy asks, and so are new again', () => {
    const once = countPast(empty, both, deedOf({ to: bob, value: '1' }), start);
    const later = countPast(once, [], deedOf({ to: bob, value: '1' }), start);
    expect(later.destinations.size).toBe(0);
    expect(newOf(later, { to: bob, value: '1' })).toEqual([[bob], []]);
  });
});

describe('the last time', () => {
  const [kind] = windowsOf(parseCel("sinceLast('SIGN_TRANSACTION')")) as [Window];
  const since = (counters: Counters, window: Window, now: number, epochStart = 0) =>
    historyFacts([window], { ...empty, counters }, deedOf({}), now, epochStart).get(windowKey(window));
  const second = 1_000_000_000n;

  test('is exact, and of what never happened as long ago as can be', () => {
    expect(since(noCounters, kind, start)).toBe(2n ** 63n - 1n);
    const once = countWindows(noCounters, [kind], () => 1n, start);
    const other = countWindows(once, [kind], () => 0n, start + 5_000);
    expect(since(other, kind, start + 7_001)).toBe(7n * second + 1_000_000n);
    expect(
      since(
        countWindows(other, [kind], () => 1n, start + 9_000),
        kind,
        start + 9_000,
      ),
    ).toBe(0n);
    // A clock that was set back makes nothing longer ago.
    expect(since(once, kind, start - 60_000)).toBe(0n);
  });

  test('is the restore where a restored state may have forgotten it', () => {
    expect(since(noCounters, kind, start + 3_000, start)).toBe(3n * second);
    const once = countWindows(noCounters, [kind], () => 1n, start + 1_000);
    expect(since(once, kind, start + 3_000, start)).toBe(2n * second);
  });

  test('of an asset is when some of it was spent, or what could not be read was signed', () => {
    const [asset] = windowsOf(parseCel("sinceLast('eip155:1')")) as [Window];
    const sinceSigning = (transaction: Transaction) => {
      const next = countPast(empty, [asset], deedOf(transaction), start);
      return since(next.counters, asset, start);
    };
    expect(sinceSigning({ to: bob, value: '1' })).toBe(0n);
    expect(sinceSigning({ to: bob, data: '0xdeadbeef' })).toBe(0n);
    expect(sinceSigning({ to: usdc, data: token(bob, 1n) })).toBe(2n ** 63n - 1n);
  });

  test('of a condition is by its meaning, not by how it is written, and is kept in few bytes', () => {
    const texts = ["sinceLast(eth.tx.to == '0x' + 'ab')", "sinceLast( (eth.tx.to) == '0x'+'ab' )"];
    const [first, second] = texts.map((text) => windowsOf(parseCel(text))[0] as Window);
    expect(windowKey(first as Window)).toBe(windowKey(second as Window));
    const [long] = windowsOf(parseCel(`sinceLast(eth.tx.to in [${`'${bob}', `.repeat(100)}])`)) as [Window];
    const { last } = countWindows(noCounters, [long], () => 1n, start);
    expect(Object.keys(last ?? {})[0]?.length).toBeLessThan(64);
  });
});
