/**
 * Witnesses that are away, lie, or are lied about (by `api`, which carries everything), and two enclaves on one database: no answer
 * leaves that a quorum has not cosigned, and what others have seen of the log stops who knows less.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { WitnessPort } from '../../src/enclave/anchors/witness.ts';
import { parseNote, parseVerifierKey, verifyNote } from '../../src/protocol/log/signed-note.ts';
import { type AnchoredHost, startAnchoredHost, verifierKey } from '../support/anchored-host.ts';
import { startEnclave } from '../support/enclave-process.ts';
import { createMemoryStorage } from '../support/memory-storage.ts';
import { createResident, type Resident, sign } from '../support/resident.ts';
import type { WireAnswer } from '../support/wire.ts';
import { carrierOf, makeWitness } from '../support/witnesses.ts';

let host: AnchoredHost;
let alice: Resident;
let honest: WitnessPort;

const carry = (port: WitnessPort) => Object.assign(host.storage, { addCheckpoint: port });
/** As long as `only` says so for a witness's URL, the real thing; `otherwise` for the rest. */
const carryFor =
  (only: (url: string) => boolean, otherwise: WitnessPort): WitnessPort =>
  (submission) =>
    only(submission.url) ? honest(submission) : otherwise(submission);
const isFirst = (url: string) => url === host.witnesses[0]?.url;
const away: WitnessPort = async () => ({ status: 0, body: 'connection refused' });
const bySigning = () => sign(host.wire, alice.byPasskey, alice.addresses[0]);

/** Whether an answer comes within half a second. */
async function isAnswered(answer: Promise<WireAnswer>): Promise<boolean> {
  return Promise.race([answer.then(() => true), sleep(500, false)]);
}

beforeAll(async () => {
  host = await startAnchoredHost('file+witness');
  honest = carrierOf(host.storage);
  alice = await createResident(host.wire, host.parent, 'Alice');
}, 60_000);
afterAll(() => host?.remove());

describe('while it runs', { timeout: 20_000 }, () => {
  beforeEach(async () => {
    carry(honest);
    const log = await verifierKey(host);
    for (const witness of host.witnesses) {
      witness.skew = 0;
      await witness.start([log]);
    }
    await host.start().serving();
  });

  test('each answer is cosigned by a quorum, in the checkpoint that goes with it', async () => {
    expect((await bySigning()).status).toBe(200);
    const { checkpoint } = await host.enclave().status();
    const keys = host.witnesses.map((witness) => parseVerifierKey(witness.verifierKey));
    const signers = await verifyNote(parseNote(checkpoint as string), keys);
    expect(new Set(signers.map(({ key }) => key.name)).size).toBeGreaterThanOrEqual(2);
  });

  test('one witness is away: nobody notices, and it catches up', async () => {
    await host.witnesses[2]?.stop();
    for (let times = 0; times < 3; times++) expect((await bySigning()).status).toBe(200);
    await host.witnesses[2]?.start([await verifierKey(host)]);
    await host.witnesses[0]?.stop();
    expect((await bySigning()).status).toBe(200);
  });

  const newKey = makeWitness('w2');
  const k1: [string, () => WitnessPort | Promise<WitnessPort>][] = [
    ['two are away', () => carryFor(isFirst, away)],
    ['two answer nothing', () => carryFor(isFirst, () => new Promise(() => {}))],
    ['two answer 404', () => carryFor(isFirst, async () => ({ status: 404, body: '' }))],
    ['two answer 403', () => carryFor(isFirst, async () => ({ status: 403, body: '' }))],
    ['two answer with what is no cosignature', () => carryFor(isFirst, async () => ({ status: 200, body: 'yes\n' }))],
    [
      "two answer with the first one's cosignature",
      () => (submission) => honest({ ...submission, url: host.witnesses[0]?.url ?? '' }),
    ],
    [
      'two answer with the cosignature of a key that is not pinned',
      async () => {
        const impostor = await newKey;
        await impostor.start([await verifierKey(host)]);
        return carryFor(isFirst, (submission) => honest({ ...submission, url: impostor.url }));
      },
    ],
    [
      'two have clocks that are an hour ahead',
      () => {
        for (const witness of host.witnesses.slice(1)) witness.skew = 3_600_000;
        return honest;
      },
    ],
  ];
  test.each(k1)('%s: no answer leaves, until they cosign', async (_, attack) => {
    carry(await attack());
    const answer = bySigning();
    expect(await isAnswered(answer)).toBe(false);
    const { reason } = await host.enclave().status();
    expect(reason).toMatch(/^FRESHNESS_UNAVAILABLE: too few witnesses cosign the log: w\d /);
    for (const witness of host.witnesses) witness.skew = 0;
    carry(honest);
    if (!_.endsWith('nothing')) expect((await answer).status).toBe(200);
    host.stop();
  });

  test.each([
    ['a size ahead of ours', { status: 409, body: '1000000\n' }],
    ['a wrong proof', { status: 422, body: '' }],
  ])('a witness has seen another history (%s): halted for good, with the evidence', async (_, seen) => {
    carry(
      carryFor(
        (url) => !isFirst(url),
        async () => seen,
      ),
    );
    await bySigning();
    await expect.poll(async () => (await bySigning()).status).toBe(503);
    expect(await host.enclave().status()).toMatchObject({
      phase: 'halted',
      reason: expect.stringMatching(/FORK_DETECTED: witness w1 has cosigned/),
    });
    expect((await bySigning()).status).toBe(503);
  });
});

test('an answer that was decided and not cosigned: kept by the database it is carried on, hidden it stops who goes on without', async () => {
  carry(honest);
  await host.start().serving();
  // Durable in the database, seen by one witness, and never released.
  carry(carryFor(isFirst, away));
  const before = host.storage.snapshot();
  const answer = bySigning();
  expect(await isAnswered(answer)).toBe(false);
  host.stop();
  const shown = host.storage.snapshot();
  expect(shown.batches.size).toBe(before.batches.size + 1);
  carry(honest);
  host.storage.tables = before;
  const hidden = host.start();
  await expect
    .poll(async () => (await hidden.status()).reason, { timeout: 10_000 })
    .toMatch(/FORK_DETECTED: witness w1 has cosigned this log with/);
  host.storage.tables = shown;
  await host.start().serving();
  expect((await bySigning()).status).toBe(200);
}, 30_000);

test('two enclaves on copies of one folder and database: of two histories one is cosigned', async () => {
  carry(honest);
  const copy = await host.snapshot();
  await host.start().serving();
  expect((await bySigning()).status).toBe(200);
  // The other one, on what there was before, with a way of its own to the same witnesses.
  const storage = createMemoryStorage();
  storage.tables = copy.tables;
  const second = startEnclave(
    copy.folder,
    Object.assign(storage, { addCheckpoint: carrierOf(storage) }),
    host.settings,
  );
  await expect.poll(async () => (await second.status()).reason, { timeout: 10_000 }).toMatch(/FORK_DETECTED/);
  expect((await second.status()).phase).toBe('refusing');
  second.stop();
  expect((await bySigning()).status).toBe(200);
}, 30_000);
