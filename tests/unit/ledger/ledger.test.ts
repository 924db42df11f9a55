import { randomUUID } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { ActivityRecord } from '../../../src/enclave/activity-record.ts';
import { sha256 } from '../../../src/enclave/ledger/hash.ts';
import type { Ledger } from '../../../src/enclave/ledger/ledger.ts';
import { includes } from '../../../src/enclave/ledger/log.ts';
import { keyPlace } from '../../../src/enclave/ledger/transition.ts';
import { activityEntry } from '../../../src/enclave/log-entries.ts';
import { encodeClaims } from '../../../src/enclave/receipts.ts';
import { createSealer } from '../../../src/enclave/sealing/seal.ts';
import { without } from '../../../src/enclave/state.ts';
import { decode } from '../../../src/protocol/cbor.ts';
import { leafHash } from '../../../src/protocol/log-hash.ts';
import { uuidBytes } from '../../../src/protocol/uuid.ts';
import {
  activityOf,
  fingerprintOf,
  knows,
  opened,
  organization,
  rename,
  startLedger,
  startTime,
  user,
} from '../../support/test-ledger.ts';
import { host, useHost } from '../../support/use-host.ts';

useHost();

const settles = (ledger: Ledger): Promise<boolean> =>
  Promise.race([ledger.settled().then(() => true), pause().then(() => false)]);

async function pause(): Promise<void> {
  for (let turns = 0; turns < 40; turns++) await turn();
  await new Promise((resolve) => setTimeout(resolve, 30));
}

describe('an answer leaves only when its batch is durable and anchored', () => {
  test('held, committed, anchored, released', async () => {
    const ledger = await startLedger(host);
    const before = ledger.released();
    host.storage.store = false;
    ledger.append([{ from: null, to: organization('a') }]);
    expect(await settles(ledger)).toBe(false);
    expect(ledger.released()).toEqual(before);
    host.storage.storeNext();
    await ledger.settled();
    expect(ledger.released().number).toBe(before.number + 1);
    expect(ledger.released().mapRoot).not.toEqual(before.mapRoot);
  });

  test('transitions share a batch with those that are about to follow, and wait for them no longer than a moment', async () => {
    const ledger = await startLedger(host);
    const before = ledger.released().number;
    ledger.append([{ from: null, to: organization('a') }], [], true);
    ledger.append([{ from: null, to: organization('b') }], [], true);
    ledger.close();
    await ledger.settled();
    expect(ledger.released().number).toBe(before + 1);
    ledger.append([{ from: null, to: organization('c') }], [], true);
    await ledger.settled();
    expect(ledger.released().number).toBe(before + 2);
    ledger.close();
    expect(await settles(ledger)).toBe(true);
    expect(ledger.released().number).toBe(before + 2);
    // Closing when nothing is open, too, keeps nothing from leaving by itself later.
    ledger.append([{ from: null, to: organization('d') }]);
    await ledger.settled();
    ledger.close();
    await new Promise((resolve) => setTimeout(resolve, 20));
    ledger.append([{ from: null, to: organization('e') }], [], true);
    await ledger.settled();
    expect(ledger.released().number).toBe(before + 4);
  });

  test('not before the anchor has moved', async () => {
    let letMove = () => {};
    host.wrapAnchor = (anchor) => ({
      ...anchor,
      async move(state, changed) {
        if (state.number > 1) await new Promise<void>((resolve) => (letMove = resolve));
        return anchor.move(state, changed);
      },
    });
    const ledger = await startLedger(host);
    ledger.append([{ from: null, to: organization('a') }]);
    expect(await settles(ledger)).toBe(false);
    letMove();
    await ledger.settled();
  });

  test('a read waits for the newest transition, not only for its own', async () => {
    const ledger = await startLedger(host);
    host.storage.store = false;
    ledger.append([{ from: null, to: organization('a') }]);
    ledger.append([{ from: null, to: organization('b') }]);
    let isReleased = false;
    const read = ledger.settled().then(() => (isReleased = true));
    host.storage.storeNext();
    await pause();
    expect(isReleased).toBe(false);
    host.storage.storeNext();
    await read;
  });

  test('a later batch that is stored first releases nothing', async () => {
    const ledger = await startLedger(host);
    host.storage.store = false;
    ledger.append([{ from: null, to: organization('a') }]);
    const number = ledger.released().number;
    for (const forged of [number, number + 2, number + 3, -1, Number.NaN, '2' as unknown as number])
      ledger.committed(forged);
    expect(await settles(ledger)).toBe(false);
    expect(ledger.released().number).toBe(number);
  });

  test('the answers of one batch leave together, and a batch carries what came in while the one before was written', async () => {
    const ledger = await startLedger(host);
    host.storage.store = false;
    for (let index = 0; index < 10; index++) ledger.append([{ from: null, to: organization(`${index}`) }]);
    const all = Promise.all(Array.from({ length: 10 }, () => ledger.settled()));
    host.storage.store = true;
    host.storage.storeNext();
    await all;
    expect(host.storage.received.map(({ heads }) => heads.length)).toEqual([0, 1, 9]);
  });
});

test('a restart finds every organization as it was, in the same order, with its bodies', async () => {
  const ledger = await startLedger(host);
  const parent = organization('parent');
  const users = Array.from({ length: 150 }, (_, index) => user(`user ${index}`));
  const child = organization('child', parent.id, users);
  ledger.append([
    { from: null, to: parent },
    { from: null, to: child },
  ]);
  const from = await opened(ledger, child.id);
  const removed = users.filter((_, index) => index % 3 === 0).map(({ id }) => id);
  const added = user('added');
  const fewer = { ...child, users: new Map([...without(child.users, removed), [added.id, added] as const]) };
  ledger.append([activityOf(from, 'body', startTime, fewer)]);
  await ledger.settled();

  const again = await startLedger(host);
  expect((await opened(again, child.id)).organization).toEqual(fewer);
  expect([...(await opened(again, child.id)).organization.users.keys()]).toEqual([...fewer.users.keys()]);
  expect((await opened(again, parent.id)).organization).toEqual(parent);
  expect(await knows(again, child.id, 'body', startTime)).toBe(true);
  expect(await knows(again, child.id, 'another', startTime)).toBe(false);
  expect(again.map.organizations()).toBe(2);
  const reopened = await opened(again, child.id);
  again.append([activityOf(reopened, 'third', startTime, rename(reopened.organization, 'renamed'))]);
  await again.settled();
  expect((await opened(await startLedger(host), child.id)).organization.settings.name).toBe('renamed');
});

test('an activity that was released has its place in the log, and keys come back with their binding only', async () => {
  const ledger = await startLedger(host);
  const to = organization('a');
  const keyId = randomUUID();
  const secret = Buffer.from('a secret of thirty-two bytes ...');
  ledger.append([{ from: null, to, keys: [{ organizationId: to.id, id: keyId, binding: 'public key', secret }] }]);
  expect(secret.equals(Buffer.alloc(32))).toBe(true);
  const from = await opened(ledger, to.id);
  for (let index = 0; index < 300; index++) ledger.append([activityOf(from, `body ${index}`, startTime)]);
  await ledger.settled();

  const { logSize, logRoot } = ledger.released();
  const fetch = { what: 'activityList', organizationId: from.id, treeSize: logSize, limit: 1000 } as const;
  const rows = await host.storage.port.fetch({ ...fetch, before: null, after: null, typeHints: [], statusHints: [] });
  if (rows.what !== 'activityList') throw new Error('something else');
  expect(rows.activities).toHaveLength(300);
  for (const { id, sealed, leafIndex, path } of rows.activities) {
    const steps = Array.from({ length: path.length / 32 }, (_, at) => path.subarray(at * 32, at * 32 + 32));
    const place = { kind: 'activity', organization: from.id, id } as const;
    const { v: _, ...record } = decode(createSealer(host.rootKey).open(place, sealed).plaintext) as { v: number };
    const leaf = leafHash(activityEntry(sha256(sealed), sha256(encodeClaims(record as ActivityRecord))));
    expect(includes(leaf, leafIndex, logSize, steps, logRoot)).toBe(true);
    expect(includes(leaf, leafIndex + 1, logSize, steps, logRoot)).toBe(false);
  }

  const [row] = [...host.storage.tables.keys.values()];
  const sealer = createSealer(host.rootKey);
  const open = (binding: string) =>
    sealer.open(keyPlace(from.id, uuidBytes(keyId), binding), row?.sealed as Uint8Array);
  expect(open('public key').plaintext.toString()).toBe('a secret of thirty-two bytes ...');
  expect(() => open('another key')).toThrow('was not sealed for this place');
});

describe('an append is all or nothing', () => {
  const trace = async (ledger: Ledger, id: string) => {
    await ledger.settled();
    const { organization: state, sequence, headDigest, fingerprints } = await opened(ledger, id);
    const { number, mapRoot, logSize } = ledger.released();
    return { state, sequence, headDigest, fingerprints: structuredClone(fingerprints), number, mapRoot, logSize };
  };

  test('a transition that has no encoding leaves no trace, and the next one goes through', async () => {
    const ledger = await startLedger(host);
    const [a, b] = [organization('a'), organization('b')];
    ledger.append([
      { from: null, to: a },
      { from: null, to: b },
    ]);
    const before = await trace(ledger, a.id);
    const [fromA, fromB] = [await opened(ledger, a.id), await opened(ledger, b.id)];
    const secret = Buffer.alloc(32, 7);
    const broken = { ...fromB.organization, counters: { signCounts: { x: 1.5 } } };
    expect(() =>
      ledger.append([
        activityOf(fromA, 'body', startTime, rename(a, 'changed')),
        {
          from: null,
          to: organization('new'),
          keys: [{ organizationId: a.id, id: randomUUID(), binding: '', secret }],
        },
        { from: fromB, to: broken },
      ]),
    ).toThrow('cannot encode 1.5');
    expect(secret.equals(Buffer.alloc(32))).toBe(true);
    expect(await trace(ledger, a.id)).toEqual(before);
    ledger.append([activityOf(fromA, 'body', startTime, rename(a, 'changed'))]);
    await ledger.settled();
    expect((await opened(await startLedger(host), a.id)).organization.settings.name).toBe('changed');
  });

  test('from anything but the newest state', async () => {
    const ledger = await startLedger(host);
    const a = organization('a');
    ledger.append([{ from: null, to: a }]);
    const from = await opened(ledger, a.id);
    const stale = { ...from };
    ledger.append([{ from, to: rename(a, 'first') }]);
    const before = await trace(ledger, a.id);
    expect(() => ledger.append([{ from: stale, to: rename(a, 'second') }])).toThrow('changed while the request');
    expect(() => ledger.append([{ from: null, to: a }])).toThrow('changed while the request');
    expect(() =>
      ledger.append([
        { from, to: a },
        { from, to: a },
      ]),
    ).toThrow('only once in an append');
    expect(() => ledger.append([{ from, to: { ...a, id: randomUUID() } }])).toThrow('changed while the request');
    expect(await trace(ledger, a.id)).toEqual(before);
  });
});

test('a deleted organization leaves a tombstone: its id stays taken and its rows are gone', async () => {
  const ledger = await startLedger(host);
  const parent = organization('parent');
  const child = organization('child', parent.id);
  ledger.append([
    { from: null, to: parent },
    { from: null, to: child },
  ]);
  const lookups = host.storage.tables.lookups.size;
  const from = await opened(ledger, child.id);
  const gone = { ...rename(child, ''), users: new Map(), deleted: true };
  ledger.append([activityOf(from, 'delete', startTime, gone)]);
  await ledger.settled();
  expect(host.storage.tables.lookups.size).toBe(lookups - 1);
  const again = await startLedger(host);
  const tombstone = await opened(again, child.id);
  expect(tombstone.organization).toEqual(gone);
  expect(() => again.append([{ from: null, to: child }])).toThrow('changed while the request');
  expect([...host.storage.tables.pages.values()].filter(({ kind }) => kind === 'users')).toHaveLength(1);
  expect(
    [...host.storage.tables.hints.values()].filter((row) => Buffer.compare(row.organizationId, from.id) === 0),
  ).toEqual([]);
});

describe('bodies are carried out once', () => {
  const minute = 60_000;

  test('in any minute that is fresh, across a restart, and forgotten once they can no longer be repeated', async () => {
    const ledger = await startLedger(host);
    const a = organization('a');
    ledger.append([{ from: null, to: a }]);
    const from = await opened(ledger, a.id);
    const bodies = [-60 * minute + 1, -30 * minute, -1, 0, 1, 4 * minute, 5 * minute].map(
      (offset) => startTime + offset,
    );
    for (const time of bodies) ledger.append([activityOf(from, `at ${time}`, time)]);
    await ledger.settled();
    const again = await startLedger(host);
    for (const time of bodies) expect(await knows(again, a.id, `at ${time}`, time)).toBe(true);

    host.time = startTime + 30 * minute;
    again.append([activityOf(await opened(again, a.id), 'later', host.time)]);
    await again.settled();
    const third = await startLedger(host);
    for (const time of bodies.filter((each) => each > host.time - 60 * minute)) {
      expect(await knows(third, a.id, `at ${time}`, time)).toBe(true);
    }
    const { fingerprints } = await opened(third, a.id);
    expect(Math.min(...fingerprints.keys())).toBe(Math.floor((host.time - 60 * minute) / minute));
  });

  test('at most 66 buckets are kept at full rate, and all of them are whole after a restart', async () => {
    const ledger = await startLedger(host);
    const a = organization('a');
    ledger.append([{ from: null, to: a }]);
    const from = await opened(ledger, a.id);
    for (let index = 0; index < 200; index++) {
      host.time = startTime + index * minute;
      ledger.append([activityOf(from, `old ${index}`, host.time - 60 * minute + 1)]);
      ledger.append([activityOf(from, `new ${index}`, host.time + 5 * minute)]);
      expect(from.fingerprints.size).toBeLessThanOrEqual(66);
    }
    await ledger.settled();
    const again = await startLedger(host);
    for (let index = 140; index < 200; index++) {
      const time = startTime + index * minute + 5 * minute;
      expect(await knows(again, a.id, `new ${index}`, time)).toBe(true);
    }
    expect(await knows(again, a.id, 'old 199', host.time - 60 * minute + 1)).toBe(true);
  });

  test('time that runs back neither reopens a minute nor lowers the time of a batch', async () => {
    const ledger = await startLedger(host);
    const a = organization('a');
    host.time = startTime + 10 * minute;
    ledger.append([{ from: null, to: a }]);
    await ledger.settled();
    host.time = startTime - 1000 * minute;
    expect(ledger.now()).toBe(startTime + 10 * minute);
    const again = await startLedger(host);
    expect(again.now()).toBe(startTime + 10 * minute);
    expect(again.released().time).toBe(startTime + 10 * minute);
  });

  test('a bucket that the database shows short, long or altered is refused, and served when it is whole again', async () => {
    const ledger = await startLedger(host);
    const a = organization('a');
    ledger.append([{ from: null, to: a }]);
    const from = await opened(ledger, a.id);
    for (let index = 0; index < 5; index++) ledger.append([activityOf(from, `body ${index}`, startTime)]);
    await ledger.settled();
    const again = await startLedger(host);
    const alter: ((entries: Buffer) => Uint8Array)[] = [
      (entries) => entries.subarray(0, -32),
      (entries) => Buffer.concat([entries, Buffer.alloc(32)]),
      (entries) => Buffer.concat([entries.subarray(32), entries.subarray(0, 32)]),
      (entries) => entries.fill(0, 0, 1),
      (entries) => entries.subarray(0, -1),
      () => Buffer.alloc(0),
    ];
    for (const change of alter) {
      host.storage.answer = (_, rows) =>
        rows.what === 'fingerprints' ? { ...rows, entries: change(Buffer.from(rows.entries)) } : rows;
      await expect(knows(again, a.id, 'body 0', startTime)).rejects.toThrow('fingerprints of a minute');
    }
    host.storage.answer = (_, rows) => rows;
    expect(await knows(again, a.id, 'body 4', startTime)).toBe(true);
  });

  test('a large bucket of an earlier minute is freed and filled again, the one in use stays', async () => {
    const ledger = await startLedger(host);
    const a = organization('a');
    ledger.append([{ from: null, to: a }]);
    const from = await opened(ledger, a.id);
    for (let index = 0; index < 1100; index++) ledger.append([activityOf(from, `body ${index}`, startTime)]);
    for (const later of [1, 2]) ledger.append([activityOf(from, `later ${later}`, startTime + later * minute)]);
    await ledger.settled();
    const fetches = () => host.storage.fetched.filter(({ what }) => what === 'fingerprints').length;
    expect(await knows(ledger, a.id, 'later 2', startTime + 2 * minute)).toBe(true);
    expect(from.fingerprints.get(startTime / minute)?.entries).toBeNull();
    expect(fetches()).toBe(0);
    expect(await knows(ledger, a.id, 'body 1099', startTime)).toBe(true);
    expect(await knows(ledger, a.id, 'body 0', startTime)).toBe(true);
    expect(fetches()).toBe(1);
    ledger.append([activityOf(from, 'one more', startTime)]);
    await ledger.settled();
    expect(await knows(await startLedger(host), a.id, 'one more', startTime)).toBe(true);
  });
});

describe('the ledger stops for good', () => {
  test('when another batch of its number is in the database', async () => {
    const ledger = await startLedger(host);
    const snapshot = host.storage.tables.batches.get(1);
    host.storage.tables.batches.set(2, { ...(snapshot as NonNullable<typeof snapshot>), number: 2 });
    ledger.append([{ from: null, to: organization('a') }]);
    await expect(ledger.settled()).rejects.toThrow("batch 2 is another's");
    expect(ledger.haltReason()).toContain("batch 2 is another's");
    expect(() => ledger.append([{ from: null, to: organization('b') }])).toThrow('it has to be restarted');
    await expect(ledger.settled()).rejects.toThrow('it has to be restarted');
    ledger.committed(2);
    expect(ledger.released().number).toBe(1);
  });

  test('when the anchor cannot be moved; nothing of the batch is answered', async () => {
    host.wrapAnchor = (anchor) => ({
      ...anchor,
      move: (state, changed) =>
        state.number > 1 ? Promise.reject(new Error('no space left')) : anchor.move(state, changed),
    });
    const ledger = await startLedger(host);
    ledger.append([{ from: null, to: organization('a') }]);
    await expect(ledger.settled()).rejects.toThrow('the anchor cannot be moved: no space left');
    expect(ledger.released().number).toBe(1);
  });
});

describe('what waits is bounded', () => {
  test('answers: the next one is refused at once, and taken again when the database is back', async () => {
    const ledger = await startLedger(host);
    host.storage.store = false;
    ledger.append([{ from: null, to: organization('a') }]);
    const held = Array.from({ length: 4096 }, () => ledger.settled());
    await expect(ledger.settled()).rejects.toThrow('too many answers wait');
    host.storage.store = true;
    host.storage.storeNext();
    await Promise.all(held);
    await expect(ledger.settled()).resolves.toBeUndefined();
  });

  test('changes: a batch stays within a frame however long the database is away', async () => {
    const ledger = await startLedger(host);
    const a = organization('a');
    ledger.append([{ from: null, to: a }]);
    await ledger.settled();
    const from = await opened(ledger, a.id);
    host.storage.store = false;
    const body = 'x'.repeat(1024 * 1024);
    let appended = 0;
    const flood = () => {
      for (; appended < 100; appended++) ledger.append([activityOf(from, `${appended}${body}`, startTime)]);
    };
    expect(flood).toThrow('try again later');
    expect(appended).toBeLessThan(20);
    host.storage.store = true;
    host.storage.storeNext();
    await ledger.settled();
    ledger.append([activityOf(from, 'after', startTime)]);
    await ledger.settled();
    const again = await startLedger(host);
    expect(await knows(again, a.id, 'after', startTime)).toBe(true);
    expect(await knows(again, a.id, `${appended - 1}${body}`, startTime)).toBe(true);
    expect(await knows(again, a.id, `${appended}${body}`, startTime)).toBe(false);
  });
});

test('a keyed digest of a body is all that the database sees of it', async () => {
  const ledger = await startLedger(host);
  const a = organization('a name that nobody may read');
  ledger.append([{ from: null, to: a }]);
  ledger.append([activityOf(await opened(ledger, a.id), 'a body that nobody may read', startTime)]);
  await ledger.settled();
  const bytes = host.storage.received.flatMap((batch) => [
    ...batch.heads.flatMap(({ head, counters }) => [head, counters]),
    ...batch.pages.map(({ sealed }) => sealed),
    ...batch.activities.map(({ sealed }) => sealed),
    batch.record,
  ]);
  const all = Buffer.concat(bytes).toString('latin1');
  expect(all).not.toContain('nobody may read');
  expect(all).not.toContain(fingerprintOf('a body that nobody may read').toString('latin1'));
});
