/**
 * What `api` and the host decide is when: in which order requests reach the enclave, when it hears that a batch is stored, and
 * how many enclaves run on one database. None of that makes two of what was to be one, nor lets an answer out that is not there.
 */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { serializeTransaction } from 'viem';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decode } from '../../src/protocol/cbor.ts';
import type { Claims, Receipt } from '../../src/protocol/receipt.ts';
import { type EnclaveInMemory, startEnclave as startInMemory } from '../support/enclave-in-memory.ts';
import { enclaveFolder, ordersDone, startEnclave } from '../support/enclave-process.ts';
import { createMemoryStorage, hex, type MemoryStorage } from '../support/memory-storage.ts';
import { addUser, createResident, type Member, type Resident, sign, signing } from '../support/resident.ts';
import { activityBody, type Caller, reasonOf, resultOf, submit, type Wire, type WireAnswer } from '../support/wire.ts';

const policy = (wire: Wire, owner: Caller, given: object) =>
  submit(wire, owner, 'create_policy', 'CREATE_POLICY_V3', {
    policyName: `${given}${Math.random()}`,
    notes: '',
    language: 'cel',
    ...given,
  });

/** A transaction that moves 0.01 ether. */
function pay(wire: Wire, caller: Caller, signWith: string): Promise<WireAnswer> {
  const transaction = serializeTransaction({
    chainId: 1,
    type: 'eip1559',
    gas: 21_000n,
    nonce: Math.floor(Math.random() * 1e9),
    to: '0x000000000000000000000000000000000000dead',
    value: 10n ** 16n,
  });
  const parameters = { signWith, unsignedTransaction: transaction.slice(2), type: 'TRANSACTION_TYPE_ETHEREUM' };
  return submit(wire, caller, 'sign_transaction', 'SIGN_TRANSACTION_V2', parameters);
}

const onePayment = {
  effect: 'EFFECT_GUARD',
  condition: "activity.kind == 'SIGN_TRANSACTION' && spent('eip155:1', '24h') + spending('eip155:1') > 0.01 ether",
};

describe('two requests in the other order', () => {
  let enclave: EnclaveInMemory;
  let owner: Resident;
  let agent: Member;

  beforeAll(async () => {
    enclave = await startInMemory();
    owner = await createResident(enclave.wire, enclave.parent, 'owner');
    agent = await addUser(enclave.wire, owner.byPasskey, 'agent');
    resultOf(
      await policy(enclave.wire, owner.byPasskey, { effect: 'EFFECT_ALLOW', condition: "activity.action == 'SIGN'" }),
    );
  });
  afterAll(() => enclave.remove());

  function stamped(caller: Caller, name: string, type: string, parameters: object) {
    const body = activityBody(owner.organizationId, `ACTIVITY_TYPE_${type}`, parameters);
    return () => enclave.wire({ kind: 'submit', name, body, stamp: caller.stamp(body), proof: true });
  }
  const signature = () => stamped(agent, 'sign_raw_payload', 'SIGN_RAW_PAYLOAD_V2', signing(owner.addresses[0]));
  const ban = () =>
    stamped(owner.byPasskey, 'create_policy', 'CREATE_POLICY_V3', {
      policyName: `${Math.random()}`,
      notes: '',
      language: 'cel',
      effect: 'EFFECT_DENY',
      condition: "activity.action == 'SIGN'",
    });
  const claimsOf = ({ body }: WireAnswer): Claims => {
    const { claims } = decode(Buffer.from(body.receipt as string, 'base64url')) as unknown as Receipt;
    return decode(claims) as unknown as Claims;
  };

  test('are each judged by the state that they meet, and their receipts say in which order that was', async () => {
    const [sooner, banned, later] = [signature(), ban(), signature()];
    // One after the other, as api chose, however they were stamped; then at once.
    const first = await sooner();
    const [second, third] = await Promise.all([banned(), later()]);
    expect([first.status, second.status]).toEqual([200, 200]);
    const [before, change] = [claimsOf(first), claimsOf(second)];
    if (third.status === 200) {
      // The signature came before the ban, and its receipt has to say so.
      expect(claimsOf(third).sequence).toBeLessThan(change.sequence);
      expect(hex(claimsOf(third).decision.policies)).toBe(hex(before.decision.policies));
    } else expect(third.status).toBe(403);
    expect(change.sequence).toBeGreaterThan(before.sequence);
    // From here on nothing is signed, whatever was stamped before it, and what was done stays done.
    expect((await signature()()).status).toBe(403);
    const again = await sooner();
    expect(again.body.activity).toEqual(first.body.activity);
    expect(claimsOf(again).sequence).toBe(before.sequence);
  });
});

describe('what api says about batches', () => {
  const { folder, parent, remove } = enclaveFolder();
  const storage = createMemoryStorage();
  let enclave: ReturnType<typeof startEnclave>;
  let alice: Resident;

  beforeAll(async () => {
    enclave = startEnclave(folder, storage);
    await enclave.serving();
    await ordersDone(folder);
    alice = await createResident(enclave.wire, parent, 'Alice');
  });
  afterAll(() => {
    enclave.stop();
    remove();
  });

  const signature = () => sign(enclave.wire, alice.byApiKey, alice.addresses[0]);
  const isHeld = async (answer: Promise<unknown>) => (await Promise.race([answer, sleep(80, 'held')])) === 'held';
  const written = () => storage.received.at(-1)?.number as number;
  const committed = (number: number) => enclave.send({ type: 'committed', number });

  test('repeated and out of order: each answer leaves once, after its own batch and all before it', async () => {
    storage.acknowledge = false;
    const first = signature();
    expect(await isHeld(first)).toBe(true);
    const number = written();
    const second = signature();
    // Of the second batch there is nothing before the first is stored; news of it, and echoes of old news, change nothing.
    for (const early of [number + 1, number + 2, number - 1, number - 1, 0]) committed(early);
    expect([await isHeld(first), await isHeld(second), written()]).toEqual([true, true, number]);
    committed(number);
    expect((await first).status).toBe(200);
    expect(await isHeld(second)).toBe(true);
    expect(written()).toBe(number + 1);
    for (const echo of [number, number, number - 1]) committed(echo);
    expect(await isHeld(second)).toBe(true);
    committed(number + 1);
    committed(number + 1);
    expect((await second).status).toBe(200);
    storage.acknowledge = true;
    expect((await signature()).status).toBe(200);
  });

  test('dropped: the answer does not leave, and after a restart it is there, once', async () => {
    storage.acknowledge = false;
    const body = activityBody(alice.organizationId, 'ACTIVITY_TYPE_SIGN_RAW_PAYLOAD_V2', signing(alice.addresses[0]));
    const request = { kind: 'submit', name: 'sign_raw_payload', body, stamp: alice.byApiKey.stamp(body) } as const;
    expect(await isHeld(enclave.wire(request))).toBe(true);
    const rows = storage.tables.activities.size;
    storage.acknowledge = true;
    enclave.stop();
    enclave = startEnclave(folder, storage);
    await enclave.serving();
    const [once, twice] = [await enclave.wire(request), await enclave.wire(request)];
    expect(once.status).toBe(200);
    expect(twice.body.activity).toEqual(once.body.activity);
    expect(storage.tables.activities.size).toBe(rows);
  });
});

describe('two enclaves on one database, and a limit of one payment', { timeout: 60_000 }, () => {
  const { folder, parent, remove } = enclaveFolder();
  let start: MemoryStorage;
  let alice: Resident;

  beforeAll(async () => {
    start = createMemoryStorage();
    const enclave = startEnclave(folder, start);
    await enclave.serving();
    await ordersDone(folder);
    alice = await createResident(enclave.wire, parent, 'Alice');
    resultOf(await policy(enclave.wire, alice.byPasskey, onePayment));
    enclave.stop();
  });
  afterAll(() => remove());

  /** Two enclaves, each with a copy of the folder and a way of its own to the same rows. */
  async function twins() {
    const tables = start.snapshot();
    return [0, 1].map(() => {
      const copy = mkdtempSync(join(tmpdir(), 'countersign-twin-'));
      cpSync(folder, copy, { recursive: true });
      const storage = createMemoryStorage();
      storage.tables = tables;
      return { copy, storage, enclave: startEnclave(copy, storage) };
    }) as [Twin, Twin];
  }
  type Twin = { copy: string; storage: MemoryStorage; enclave: ReturnType<typeof startEnclave> };

  test.each(['started together', 'one after the other', 'with news that comes late'])(
    '%s: one signature',
    async (how) => {
      for (let round = 0; round < 4; round++) {
        const both = await twins();
        const [first, second] = both;
        if (how === 'started together') {
          // One of them loses at the start already, and tries again on what the other wrote.
          await Promise.race(both.map(({ enclave }) => enclave.serving()));
        } else {
          await first.enclave.serving();
          await second.enclave.serving();
        }
        if (how === 'with news that comes late') for (const { storage } of both) storage.acknowledge = round % 2 === 0;
        const asked = both.map(({ enclave }) => pay(enclave.wire, alice.byPasskey, alice.addresses[0]));
        const answers = await Promise.all(asked.map((answer) => Promise.race([answer, sleep(500, null)])));
        const signed = answers.filter((answer) => answer?.status === 200);
        expect(signed.length, JSON.stringify(answers.map((answer) => answer && reasonOf(answer)))).toBeLessThanOrEqual(
          1,
        );
        // Whoever lost does not get to sign later either, and on what is stored there is one payment.
        for (const { storage } of both) storage.acknowledge = true;
        for (const { enclave } of both) {
          if (signed.length === 0) continue;
          expect(
            (await Promise.race([pay(enclave.wire, alice.byPasskey, alice.addresses[0]), sleep(500, null)]))?.status,
          ).not.toBe(200);
        }
        if (how !== 'with news that comes late') expect(signed).toHaveLength(1);
        for (const { enclave, copy } of both) {
          enclave.stop();
          rmSync(copy, { recursive: true });
        }
      }
    },
  );
});
