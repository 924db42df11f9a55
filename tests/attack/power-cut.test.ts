/**
 * The enclave is killed between any two of its steps: before and after a batch is stored, before and after it hears of that,
 * within each write of its anchor, before and after an answer leaves, while it starts. After each start: what was
 * acknowledged is there, what was not is carried out once, no two activities have one sequence, and every receipt that was
 * ever given is of the log that there is. The whole enclave runs in this process, so that hundreds of points take seconds;
 * tests/end-to-end/crash.test.ts does some with the real processes. `CRASH_SEED` repeats a run's choices.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Place, verifyReceipt } from '../../sdk/src/verify/verify-receipt.ts';
import { createEnclave } from '../../src/enclave/enclave.ts';
import { readSettings } from '../../src/enclave/settings.ts';
import { decode } from '../../src/protocol/cbor.ts';
import type { Claims, Receipt } from '../../src/protocol/receipt.ts';
import { enclaveFolder, ordersDone } from '../support/enclave-process.ts';
import { createMemoryStorage, hex, naiveRoot } from '../support/memory-storage.ts';
import { createResident, ethereumAccount, type Resident, signing } from '../support/resident.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { activityBody, reasonOf, type Wire, type WireAnswer, type WireRequest } from '../support/wire.ts';

/** The power: it goes off at one of the steps that are counted, and whatever happens after that is lost. */
const power = vi.hoisted(() => {
  const power = {
    /** Steps until it goes off. */
    left: Number.POSITIVE_INFINITY,
    /** The step at which it went off. */
    cutAt: null as string | null,
    onCut: () => {},
    /** How much of a write is done when it goes off. */
    random: Math.random,
    /** Writes of the disk that are under way. */
    writing: 0,
    /** True if the step is still taken. */
    step(name: string): boolean {
      if (power.cutAt !== null) return false;
      if (--power.left > 0) return true;
      power.cutAt = name;
      power.onCut();
      return false;
    },
  };
  return power;
});

/** Of a write of the anchor at which the power goes off, a part is on the disk. */
vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>();
  const { promisify: make } = await import('node:util');
  const wholeWrite = make(fs.write);
  const part = (bytes: Uint8Array) => Math.floor(bytes.length * power.random());
  async function write(file: number, bytes: Uint8Array, from: number, length: number, position: number) {
    const wasOff = power.cutAt !== null;
    if (power.step('within the write of the anchor')) {
      power.writing++;
      return wholeWrite(file, bytes, from, length, position).finally(() => power.writing--);
    }
    if (!wasOff) fs.writeSync(file, bytes, from, part(bytes), position);
    return new Promise(() => {});
  }
  function writeSync(file: number, bytes: Uint8Array, from: number, length: number, position: number) {
    const wasOff = power.cutAt !== null;
    if (power.step('within a write of the anchor’s buckets')) {
      return fs.writeSync(file, bytes, from, length, position);
    }
    if (!wasOff) fs.writeSync(file, bytes, from, part(bytes), position);
    throw new Error('the power is off');
  }
  return { ...fs, write: Object.assign(() => {}, { [make.custom]: write }), writeSync };
});

const seed = Number(process.env.CRASH_SEED ?? Math.floor(Math.random() * 2 ** 32));
const random = seededRandom(seed);
power.random = random;
const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;

type Sent = {
  readonly request: WireRequest;
  readonly organizationId: string;
  activity?: WireAnswer['body']['activity'];
};

const { folder, parent, remove } = enclaveFolder();
const storage = createMemoryStorage();
const sent: Sent[] = [];
/** By activity: what was given for it, the first time and the last. */
const receipts = new Map<string, string[]>();
/** Requests that were under way, or just answered, when the power went off. */
const unchecked: Sent[] = [];
const powerIsOff = new Error('the power is off');
const cuts = new Map<string, number>();
let residents: Resident[];
let wire: Wire;
let cut: Promise<void>;
let stop = () => {};
/** Why the enclave does not open its folder, which no crash may lead to. */
let failure: Error | null = null;

beforeAll(async () => {
  console.log(`CRASH_SEED=${seed}`);
  await start(Number.POSITIVE_INFINITY);
  await ordersDone(folder);
  residents = [];
  for (const name of ['one', 'two', 'three']) residents.push(await createResident(wire, parent, name));
});
afterAll(() => {
  stop();
  remove();
});

/** Starts the enclave, with power for so many steps. False if that was too little for it to serve. */
async function start(steps: number): Promise<boolean> {
  stop();
  // What an enclave that is gone had under way must not reach the disk of the next one.
  while (power.writing > 0) await sleep(1);
  await new Promise(setImmediate);
  const waiting = new Map<number, (answer: WireAnswer) => void>();
  let nextId = 0;
  let isAlive = true;
  power.left = steps;
  power.cutAt = null;
  cut = new Promise((resolve) => {
    power.onCut = () => {
      isAlive = false;
      cuts.set(power.cutAt as string, (cuts.get(power.cutAt as string) ?? 0) + 1);
      resolve();
    };
  });
  const settings = readSettings({ COUNTERSIGN_ENCLAVE_DIR: folder, COUNTERSIGN_ISOLATION: 'none' });
  const enclave = createEnclave(settings, (message) => {
    if (!isAlive) return;
    if (message.type === 'write') {
      if (power.step('before a batch is stored')) storage.port.write(message.batch);
    } else if (message.type === 'fetch') {
      const { id } = message;
      if (!power.step('before rows are read')) return;
      void storage.port
        .fetch(message.fetch)
        .then((rows) => isAlive && enclave.onMessage({ type: 'fetched', id, rows }));
    } else if (message.type === 'lease') {
      const { id } = message;
      setImmediate(() => enclave.onMessage({ type: 'leased', id, refused: null }));
    } else if (message.type === 'answer') {
      if (!power.step('before an answer leaves')) return;
      waiting.get(message.id)?.({ status: message.status, body: JSON.parse(Buffer.from(message.body).toString()) });
      power.step('after an answer has left');
    }
  });
  enclave.opened.catch((error: Error) => {
    if (isAlive) failure = error;
  });
  storage.connect({
    committed(number) {
      if (power.step('after a batch is stored, before the enclave knows'))
        enclave.onMessage({ type: 'committed', number });
    },
    conflict: (number) => enclave.onMessage({ type: 'conflict', number }),
  });
  stop = () => {
    isAlive = false;
    enclave.stop();
  };
  wire = ({ kind, name, body, stamp }) =>
    new Promise((resolve, reject) => {
      const id = nextId++;
      waiting.set(id, resolve);
      cut.then(() => reject(powerIsOff));
      const header = stamp && { header: stamp.header.toLowerCase() as 'x-stamp', value: stamp.value };
      enclave.onMessage({ type: 'request', id, kind, name, body: Buffer.from(body), stamp: header, proof: true });
    });
  enclave.onMessage({ type: 'hello' });
  return serves();
}

/** False when the power goes off before. A refusal fails the test: what a crash leaves is always taken. */
async function serves(): Promise<boolean> {
  const body = JSON.stringify({ organizationId: parent.organizationId });
  for (;;) {
    const answer = await wire({ kind: 'query', name: 'whoami', body, stamp: parent.stamp(body) }).catch(() => null);
    if (!answer) return false;
    if (failure) throw failure;
    if (answer.status === 200 || (answer.status === 401 && residents === undefined)) return true;
    expect(reasonOf(answer)).toBe('STARTING');
    await Promise.race([sleep(2), cut]);
  }
}

/** Some requests, of kinds at random, and the ones that were sent before now and then. */
const wave = (): Sent[] =>
  Array.from({ length: 3 }, () => (random() < 0.15 && sent.length > 0 ? pick(sent) : newRequest()));

/** Sends them at once; whatever was under way when the power went off is sent again after the next start. */
async function allOf(requests: readonly Sent[]): Promise<void> {
  const attempt = async (one: Sent) => {
    try {
      await carryOut(one);
    } catch (error) {
      if (error !== powerIsOff) throw error;
    }
    if (power.cutAt !== null) unchecked.push(one);
  };
  await Promise.all(requests.map(attempt));
}

function newRequest(): Sent {
  const resident = pick(residents);
  const [name, type, parameters] =
    random() < 0.8
      ? (['sign_raw_payload', 'SIGN_RAW_PAYLOAD_V2', signing(resident.addresses[0])] as const)
      : (['create_wallet', 'CREATE_WALLET', { walletName: `${sent.length}`, accounts: [ethereumAccount(0)] }] as const);
  const body = activityBody(resident.organizationId, `ACTIVITY_TYPE_${type}`, parameters);
  const { organizationId } = resident;
  const request = { kind: 'submit', name, body, stamp: resident.byApiKey.stamp(body) } as const;
  const one = { request, organizationId };
  sent.push(one);
  return one;
}

/** Sends a request: once it was acknowledged, its answer is that one for ever. */
async function carryOut(one: Sent): Promise<void> {
  const { status, body } = await wire(one.request);
  expect([status, body.activity?.status], JSON.stringify(body)).toEqual([200, 'ACTIVITY_STATUS_COMPLETED']);
  if (one.activity) expect(body.activity).toEqual(one.activity);
  else one.activity = body.activity;
  const id = body.activity?.id as string;
  receipts.set(id, [receipts.get(id)?.[0] ?? (body.receipt as string), body.receipt as string]);
}

const cutsSoFar = () => [...cuts.values()].reduce((sum, count) => sum + count, 0);

test('two hundred and ten points, and nothing that was acknowledged is lost or done twice', async () => {
  // Each number of steps in turn: within the start, within what is sent again, within the waves behind it.
  for (let round = 0; cutsSoFar() < 210; round++) {
    if (!(await start(1 + (round % 70)))) continue;
    // Those that were acknowledged are answered as they were, the others are carried out, and only once.
    await allOf(unchecked.splice(0));
    while (power.cutAt === null) await allOf(wave());
  }
  expect(await start(Number.POSITIVE_INFINITY)).toBe(true);
  await allOf(unchecked.splice(0));
  expect(sent.filter(({ activity }) => activity === undefined)).toEqual([]);
  await Promise.all(Array.from({ length: 50 }, () => carryOut(pick(sent))));

  // Every activity is there, once: there are three users of whom each has made a key of their own, and the parent made them.
  const rows = [...storage.tables.activities.values()];
  expect(rows).toHaveLength(sent.length + 2 * residents.length);
  expect(new Set(rows.map((row) => hex(row.organizationId) + hex(row.fingerprint))).size).toBe(rows.length);
  expect(new Set(rows.map(({ leafIndex }) => leafIndex)).size).toBe(rows.length);
  expect(new Set(sent.map(({ activity }) => activity?.id)).size).toBe(sent.length);
  expect([...cuts.keys()].sort()).toEqual([
    'after a batch is stored, before the enclave knows',
    'after an answer has left',
    'before a batch is stored',
    'before an answer leaves',
    'before rows are read',
    'within a write of the anchor’s buckets',
    'within the write of the anchor',
  ]);
  expect(cutsSoFar()).toBeGreaterThanOrEqual(200);
}, 120_000);

test('every receipt that was ever given is of the one log, and of one chain for each organization', async () => {
  const leaves = Array.from({ length: storage.tables.leaves.size }, (_, at) => storage.tables.leaves.get(at) as Buffer);
  const roots = new Map<number, string>();
  const rootAt = (size: number) =>
    roots.get(size) ?? roots.set(size, naiveRoot(leaves.slice(0, size)).toString('base64')).get(size);
  const chains = new Map<string, Map<number, Claims>>();
  for (const text of new Set([...receipts.values()].flat())) {
    const verification = await verifyReceipt(text);
    expect(verification.ok, JSON.stringify(verification.steps)).toBe(true);
    const [claims, place] = [verification.claims as Claims, verification.place as Place];
    expect(hex(leaves[place.index] as Buffer)).toBe(place.leaf);
    const { checkpoint } = decode(Buffer.from(text, 'base64url')) as unknown as Receipt;
    expect(checkpoint.split('\n')[2]).toBe(rootAt(place.size));
    const chain = chains.get(claims.organization) ?? new Map<number, Claims>();
    chains.set(claims.organization, chain);
    expect(chain.get(claims.sequence) ?? claims).toEqual(claims);
    chain.set(claims.sequence, claims);
  }
  expect(receipts.size).toBe(sent.length);
  expect(chains.size).toBe(residents.length);
  for (const chain of chains.values()) {
    const inOrder = [...chain.values()].sort((a, b) => a.sequence - b.sequence);
    for (const [at, claims] of inOrder.slice(1).entries()) {
      const previous = inOrder[at] as Claims;
      expect(claims.sequence).toBe(previous.sequence + 1);
      expect(hex(claims.headBefore)).toBe(hex(previous.headAfter));
    }
  }
});
