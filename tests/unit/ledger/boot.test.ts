import { randomBytes } from 'node:crypto';
import { copyFileSync, cpSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { revealBucket } from '../../../src/enclave/ledger/boot.ts';
import { bodyLead } from '../../../src/enclave/ledger/fingerprints.ts';
import type { Ledger } from '../../../src/enclave/ledger/ledger.ts';
import { bucketOf, OpaqueBucketError } from '../../../src/enclave/ledger/merkle-map.ts';
import type { Organization } from '../../../src/enclave/state.ts';
import type { FetchedRows } from '../../../src/protocol/messages.ts';
import { uuidBytes } from '../../../src/protocol/uuid.ts';
import { hex, type Tables } from '../../support/memory-storage.ts';
import {
  activityOf,
  type Host,
  knows,
  opened,
  organization,
  rename,
  startEntry,
  startLedger,
  startTime,
  startUnrecorded,
} from '../../support/test-ledger.ts';
import { host, renewHost, useHost } from '../../support/use-host.ts';

useHost();

/** Appends a change of `id`'s name, with a body of that name. */
async function change(ledger: Ledger, id: string, name: string): Promise<void> {
  const from = await opened(ledger, id);
  ledger.append([activityOf(from, name, host.time, rename(from.organization, name))]);
}

const nameOf = async (ledger: Ledger, id: string): Promise<string> =>
  (await opened(ledger, id)).organization.settings.name;

/** A host with organizations `a` and `b`, both released. */
async function withTwo(): Promise<{ ledger: Ledger; a: Organization; b: Organization }> {
  const ledger = await startLedger(host);
  const [a, b] = [organization('a'), organization('b')];
  ledger.append([
    { from: null, to: a },
    { from: null, to: b },
  ]);
  await change(ledger, a.id, 'a1');
  await change(ledger, b.id, 'b1');
  await ledger.settled();
  return { ledger, a, b };
}

const rootIn = (error: Error): string => / --root ([0-9a-f]{64})$/.exec(error.message)?.[1] ?? '';
const refusalOf = async (): Promise<Error> =>
  startLedger(host).then(
    () => {
      throw new Error('started');
    },
    (error: Error) => error,
  );

describe('after a crash', () => {
  /** Lets the batches that come from now on get so far, and no further. */
  const stages: [string, (host: Host) => void, stored: boolean][] = [
    ['before the batch is stored', (h) => Object.assign(h.storage, { store: false }), false],
    ['before the acknowledgement', (h) => Object.assign(h.storage, { acknowledge: false }), true],
    [
      'before the anchor moves',
      (h) => {
        h.wrapAnchor = (anchor) => ({
          ...anchor,
          move: (state, changed) => (state.number > 5 ? new Promise(() => {}) : anchor.move(state, changed)),
        });
      },
      true,
    ],
    [
      'between the anchor and the release',
      (h) => {
        h.wrapAnchor = (anchor) => ({
          ...anchor,
          async move(state, changed) {
            const moved = await anchor.move(state, changed);
            return state.number > 5 ? new Promise(() => {}) : moved;
          },
        });
      },
      true,
    ],
  ];

  test.each(stages)('%s, the batch is there as a whole or not at all', async (_, stopAt, stored) => {
    const { a, b } = await withTwo();
    let ledger = await startLedger(host);
    const anchored = ledger.released().number;
    if (anchored > 5) throw new Error('the stages stop too late');
    stopAt(host);
    if (host.storage.store && host.storage.acknowledge) ledger = await startLedger(host);
    await change(ledger, a.id, 'a2');
    await change(ledger, b.id, 'b2');
    await new Promise((resolve) => setTimeout(resolve, 50));
    host.storage.store = true;
    host.storage.acknowledge = true;
    host.wrapAnchor = (anchor) => anchor;
    const again = await startLedger(host);
    expect(await nameOf(again, a.id)).toBe(stored ? 'a2' : 'a1');
    expect(await knows(again, a.id, 'a2', host.time)).toBe(stored);
    expect(await knows(again, a.id, 'a1', host.time)).toBe(true);
    expect(['b1', 'b2']).toContain(await nameOf(again, b.id));
    await change(again, b.id, 'b3');
    await again.settled();
    expect(await nameOf(await startLedger(host), b.id)).toBe('b3');
  });

  test('a tail of two batches is redone, with its bodies, its leaves and its time', async () => {
    const { ledger, a, b } = await withTwo();
    host.wrapAnchor = (anchor) => ({ ...anchor, move: () => new Promise(() => {}) });
    // A ledger whose anchor no longer moves: two batches come to be stored behind it.
    const { ledger: stuck } = await startUnrecorded(host);
    const anchored = ledger.released();
    host.time = startTime + 5000;
    await change(stuck, a.id, 'a2');
    await new Promise((resolve) => setTimeout(resolve, 20));
    await change(stuck, b.id, 'b2');
    await new Promise((resolve) => setTimeout(resolve, 20));
    await change(stuck, b.id, 'b3');
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect([...host.storage.tables.batches.keys()].at(-1)).toBe(anchored.number + 2);

    host.wrapAnchor = (anchor) => anchor;
    host.time = startTime;
    const { ledger: redone } = await startUnrecorded(host);
    expect(redone.released().number).toBe(anchored.number + 2);
    expect(redone.released().logSize).toBe(anchored.logSize + 2);
    expect(redone.now()).toBe(startTime + 5000);
    expect(await nameOf(redone, a.id)).toBe('a2');
    expect(await nameOf(redone, b.id)).toBe('b2');
    expect(await knows(redone, b.id, 'b2', startTime + 5000)).toBe(true);
    expect(await nameOf(await startLedger(host), b.id)).toBe('b2');
  });

  test('at random points, nothing that was acknowledged is lost', async () => {
    const step = fc.record({
      changes: fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 6 }),
      store: fc.boolean(),
      acknowledge: fc.boolean(),
      settle: fc.boolean(),
      crash: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 12 }), async (steps) => {
        renewHost();
        let ledger = await startLedger(host);
        const ids = Array.from({ length: 4 }, (_, index) => organization(`${index}`));
        ledger.append(ids.map((to) => ({ from: null, to })));
        await ledger.settled();
        let count = 0;
        const acknowledged = new Map<string, string>();
        for (const { changes, store, acknowledge, settle, crash } of steps) {
          host.storage.store = store;
          host.storage.acknowledge = acknowledge;
          const newest = new Map<string, string>();
          for (const index of changes) {
            const { id } = ids[index] as Organization;
            const body = `body ${count++}`;
            await change(ledger, id, body);
            newest.set(id, body);
          }
          const settled = ledger.settled().then(
            () => {
              for (const [id, body] of newest) acknowledged.set(id, body);
              return true;
            },
            () => false,
          );
          if (settle && store && acknowledge)
            await Promise.race([settled, new Promise((resolve) => setTimeout(resolve, 20))]);
          if (!crash && store && acknowledge) continue;
          host.storage.store = true;
          host.storage.acknowledge = true;
          const known = new Map(acknowledged);
          ledger = await startLedger(host);
          for (const [id, body] of known) expect(await knows(ledger, id, body, host.time)).toBe(true);
        }
      }),
      { numRuns: 12 },
    );
  }, 60_000);
});

describe('a database that is not the anchored one is refused', () => {
  const damages: [string, (tables: Tables, old: Tables) => void, RegExp][] = [
    [
      'as it was before',
      (tables, old) => void Object.assign(tables, old),
      /does not hold batch \d+.*restored to an earlier/,
    ],
    [
      'empty',
      (tables) => {
        for (const rows of Object.values(tables)) rows.clear();
      },
      /does not hold batch/,
    ],
    [
      'without its newest batch',
      (tables) => void tables.batches.delete(Math.max(...tables.batches.keys())),
      /does not hold batch/,
    ],
    [
      'with an altered batch',
      (tables) => {
        const newest = Math.max(...tables.batches.keys());
        const row = tables.batches.get(newest);
        const record = Buffer.from(row?.record ?? []);
        record[40] = (record[40] as number) ^ 1;
        if (row) tables.batches.set(newest, { ...row, record });
      },
      /batch \d+ in the database cannot be used/,
    ],
    [
      'with altered leaves',
      (tables) => {
        const newest = Math.max(...tables.batches.keys());
        const row = tables.batches.get(newest);
        if (row) tables.batches.set(newest, { ...row, entries: Buffer.concat([row.entries, randomBytes(32)]) });
      },
      /entries of batch \d+ were altered/,
    ],
    [
      'with an older batch under a newer number',
      (tables) => {
        const newest = Math.max(...tables.batches.keys());
        const row = tables.batches.get(newest);
        if (row) tables.batches.set(newest + 1, { ...row, number: newest + 1 });
      },
      /batch \d+ in the database cannot be used: a sealed batch was not sealed for this place/,
    ],
    [
      'with a leaf of the log missing',
      (tables) => void tables.leaves.delete(tables.leaves.size - 1),
      /the log in the database is not the released one/,
    ],
    [
      'with a leaf of the log altered',
      (tables) => void tables.leaves.set(1, randomBytes(32)),
      /the log in the database is not the released one/,
    ],
  ];

  test.each(damages)('%s, and taken once it is put back', async (_, damage, reason) => {
    const { ledger, a } = await withTwo();
    const old = host.storage.snapshot();
    await change(ledger, a.id, 'a2');
    await ledger.settled();
    const good = host.storage.snapshot();
    damage(host.storage.tables, old);
    expect((await refusalOf()).message).toMatch(reason);
    host.storage.tables = good;
    expect(await nameOf(await startLedger(host), a.id)).toBe('a2');
  });

  test('with a full tile of the log missing', async () => {
    const { ledger, a } = await withTwo();
    for (let index = 0; index < 260; index++) await change(ledger, a.id, `${index}`);
    await ledger.settled();
    const good = host.storage.snapshot();
    expect(host.storage.tables.tiles.size).toBe(1);
    host.storage.tables.tiles.clear();
    expect((await refusalOf()).message).toMatch(/the log in the database is not the released one/);
    host.storage.tables = good;
    const again = await startLedger(host);
    for (let index = 0; index < 260; index++) await change(again, a.id, `again ${index}`);
    await again.settled();
    expect(host.storage.tables.tiles.size).toBe(2);
    await startLedger(host);
  });

  test('shown by an api that answers with anything at all', async () => {
    await withTwo();
    const answers: ((what: string) => unknown)[] = [
      () => null,
      () => ({}),
      (what) => ({ what }),
      (what) => ({ what, heads: 'x', entries: 5, batches: {}, tiles: null }),
      (what) => ({ what, heads: [null], entries: Buffer.alloc(63), batches: [null], tiles: [null] }),
    ];
    for (const answer of answers) {
      for (const only of ['headDigests', 'lookups', 'batches', 'frontier']) {
        host.storage.answer = (fetch, rows) => (fetch.what === only ? (answer(fetch.what) as FetchedRows) : rows);
        await expect(startLedger(host)).rejects.toThrow();
      }
    }
    host.storage.answer = (_, rows) => rows;
    await startLedger(host);
  });
});

describe('one organization that was rolled back', () => {
  async function rolledBack(ofB: (tables: Tables, old: Tables, key: string) => void) {
    const { ledger, a, b } = await withTwo();
    const old = host.storage.snapshot();
    await change(ledger, b.id, 'b2');
    await ledger.settled();
    const good = host.storage.snapshot();
    ofB(host.storage.tables, old, hex(uuidBytes(b.id)));
    return { a, b, good, again: await startLedger(host) };
  }
  const restoreHead = (tables: Tables, old: Tables, key: string) => {
    tables.heads.set(key, old.heads.get(key) as NonNullable<ReturnType<typeof old.heads.get>>);
    for (const [name, page] of old.pages) if (name.startsWith(key)) tables.pages.set(name, page);
  };

  test('is refused alone, and served without a restart once it is put back', async () => {
    const { a, b, good, again } = await rolledBack(restoreHead);
    expect(await nameOf(again, a.id)).toBe('a1');
    await expect(again.organizations.load(b.id)).rejects.toThrow(OpaqueBucketError);
    expect(() => again.append([{ from: null, to: b }])).toThrow(OpaqueBucketError);
    await change(again, a.id, 'a2');
    await again.settled();

    const bucket = bucketOf(uuidBytes(b.id));
    expect(again.map.opaqueBuckets()).toEqual([bucket]);
    expect(await revealBucket(host.storage.port, again.map, bucket)).toBe(false);
    const { tables } = host.storage;
    const key = hex(uuidBytes(b.id));
    tables.heads.set(key, good.heads.get(key) as NonNullable<ReturnType<typeof good.heads.get>>);
    for (const [name, page] of good.pages) if (name.startsWith(key)) tables.pages.set(name, page);
    expect(await revealBucket(host.storage.port, again.map, bucket)).toBe(true);
    expect(await nameOf(again, b.id)).toBe('b2');
    await change(again, b.id, 'b3');
    await again.settled();
    const last = await startLedger(host);
    expect(last.map.opaqueBuckets()).toEqual([]);
    expect([await nameOf(last, a.id), await nameOf(last, b.id)]).toEqual(['a2', 'b3']);
  });

  test('stays refused across restarts while others go on', async () => {
    const { a, b, again } = await rolledBack(restoreHead);
    await change(again, a.id, 'a2');
    await again.settled();
    const third = await startLedger(host);
    expect(await nameOf(third, a.id)).toBe('a2');
    await expect(third.organizations.load(b.id)).rejects.toThrow(OpaqueBucketError);
  });

  test('as well as one whose head was deleted, and one that was made up', async () => {
    const { a, b, again } = await rolledBack((tables, _, key) => {
      tables.heads.delete(key);
      const head = [...tables.heads.values()][0];
      if (head) tables.heads.set('ff'.repeat(16), { ...head, organizationId: Buffer.alloc(16, 0xff) });
    });
    expect(await nameOf(again, a.id)).toBe('a1');
    await expect(again.organizations.load(b.id)).rejects.toThrow(OpaqueBucketError);
    await expect(again.organizations.load('ffffffff-ffff-ffff-ffff-ffffffffffff')).rejects.toThrow(OpaqueBucketError);
  });

  test('pages alone: refused when they are opened, without a word about the others', async () => {
    const { a, b, again } = await rolledBack((tables, old, key) => {
      for (const [name, page] of old.pages) if (name.startsWith(key)) tables.pages.set(name, page);
    });
    await expect(again.organizations.load(b.id)).rejects.toThrow('are not the current ones');
    expect(await nameOf(again, a.id)).toBe('a1');
  });

  test('a hidden or doubled look-up makes its bucket unknown, not empty', async () => {
    const { a } = await withTwo();
    const [name, row] = [...host.storage.tables.lookups][0] as [string, { key: Uint8Array; value: Uint8Array }];
    host.storage.tables.lookups.delete(name);
    const again = await startLedger(host);
    expect(() => again.map.withPrefix(row.key.subarray(0, 16))).toThrow(OpaqueBucketError);
    host.storage.tables.lookups.set(name, row);
    expect(await revealBucket(host.storage.port, again.map, bucketOf(row.key))).toBe(true);
    expect(again.map.withPrefix(row.key.subarray(0, 16))).toHaveLength(1);
    expect(await nameOf(again, a.id)).toBe('a1');
  });
});

describe('accept-state', () => {
  /** The database as it was before `a2`; `ledger` is what was released behind it. */
  async function restored() {
    const { ledger, a, b } = await withTwo();
    const old = host.storage.snapshot();
    await change(ledger, a.id, 'a2');
    await ledger.settled();
    host.storage.tables = old;
    return { before: ledger.released(), a, b, refusal: await refusalOf() };
  }

  test('takes the very root that the refusal named, in a new epoch, and the next start is an ordinary one', async () => {
    const { before, a, refusal } = await restored();
    await expect(startLedger(host, 'ab'.repeat(32))).rejects.toThrow(refusal.message);
    await expect(startLedger(host, hex(before.mapRoot))).rejects.toThrow(refusal.message);
    host.time = startTime + 1000;
    const accepted = await startLedger(host, rootIn(refusal));
    expect(await nameOf(accepted, a.id)).toBe('a1');
    const { epoch, epochStart, number, mapRoot } = accepted.released();
    expect(epoch).toBe(before.epoch + 1);
    expect(number).toBe(before.number + 1);
    expect(hex(mapRoot)).toBe(rootIn(refusal));
    // Bodies that the lost state carried out were stamped for five minutes ahead at most.
    expect(epochStart).toBe(before.time + bodyLead);
    expect(accepted.epochStart()).toBe(epochStart);

    const { ledger: next, accepted: again } = await startUnrecorded(host, rootIn(refusal));
    expect(again).toBe(false);
    const { rootSignature: _, ...state } = accepted.released();
    expect(next.released()).toMatchObject(state);
    await change(next, a.id, 'a3');
    await next.settled();
    const last = await startLedger(host);
    expect(last.released().epoch).toBe(before.epoch + 1);
    expect(await nameOf(last, a.id)).toBe('a3');
  });

  test('after a crash before the anchor moved, it is taken again', async () => {
    const { before, a, refusal } = await restored();
    host.storage.acknowledge = false;
    const { ledger, accepted } = await startUnrecorded(host, rootIn(refusal));
    expect(accepted).toBe(true);
    ledger.append([], [startEntry(ledger, 'acceptState')]);
    host.storage.acknowledge = true;
    const again = await startLedger(host, rootIn(refusal));
    expect(again.released().epoch).toBe(before.epoch + 1);
    expect(await nameOf(again, a.id)).toBe('a1');
    expect((await startUnrecorded(host)).accepted).toBe(false);
  });

  test('afterwards the state before it is refused in turn', async () => {
    const { a, refusal } = await restored();
    const old = host.storage.snapshot();
    const accepted = await startLedger(host, rootIn(refusal));
    await change(accepted, a.id, 'a4');
    await accepted.settled();
    host.storage.tables = old;
    expect((await refusalOf()).message).toMatch(/does not hold batch/);
  });

  test('a bucket that was isolated is no longer, in the accepted state', async () => {
    const { ledger, a, b } = await withTwo();
    await change(ledger, a.id, 'a2');
    await ledger.settled();
    host.storage.tables.batches.delete(ledger.released().number);
    const key = hex(uuidBytes(b.id));
    host.storage.tables.heads.delete(key);
    const refusal = await refusalOf();
    const accepted = await startLedger(host, rootIn(refusal));
    expect(await accepted.organizations.load(b.id)).toBeUndefined();
    expect(await nameOf(accepted, a.id)).toBe('a2');
    const next = await startLedger(host);
    expect(next.map.opaqueBuckets()).toEqual([]);
    expect(await nameOf(next, a.id)).toBe('a2');
  });

  test('no head that the enclave did not make, or made for another organization, is ever taken', async () => {
    const { a, b } = await restored();
    const { tables } = host.storage;
    const [keyA, keyB] = [hex(uuidBytes(a.id)), hex(uuidBytes(b.id))];
    const [headA, headB] = [tables.heads.get(keyA), tables.heads.get(keyB)];
    if (!headA || !headB) throw new Error('no heads');
    tables.heads.set(keyB, { ...headB, head: headA.head });
    await expect(startLedger(host, rootIn(await refusalOf()))).rejects.toThrow("another organization's");
    tables.heads.set(keyB, { ...headB, head: Buffer.concat([headB.head.subarray(0, -16), randomBytes(16)]) });
    await expect(startLedger(host, rootIn(await refusalOf()))).rejects.toThrow('was not made by this enclave');
  });

  test('a made-up newest batch does not lift the numbers', async () => {
    const { refusal } = await restored();
    const { tables } = host.storage;
    const row = [...tables.batches.values()].at(-1);
    if (!row) throw new Error('no batches');
    tables.batches.set(2 ** 52, { ...row, number: 2 ** 52 });
    await expect(startLedger(host, rootIn(refusal))).rejects.toThrow('was not sealed for this place');
    tables.batches.delete(2 ** 52);
    await startLedger(host, rootIn(refusal));
  });
});

describe('two enclaves', () => {
  test('on one database, by a copied folder: one of them stops, and each anchor keeps to its history', async () => {
    const { ledger, a } = await withTwo();
    const copy: Host = { ...host, folder: `${host.folder}-copy` };
    cpSync(host.folder, copy.folder, { recursive: true });
    copy.remove = () => {};
    const second = await startLedger(copy);
    await change(second, a.id, 'by the second');
    await second.settled();
    // The first comes back to a database that went on without it: what it writes meets another batch.
    host.storage.connect({
      committed: ledger.committed,
      conflict: (number) => ledger.halt(`batch ${number} is another's`),
    });
    await change(ledger, a.id, 'by the first');
    await expect(ledger.settled()).rejects.toThrow("is another's");
    // Two batches behind its anchor are what a crash may leave: it goes on from them.
    expect(await nameOf(await startLedger(host), a.id)).toBe('by the second');
  });

  test('with one sealing key and different anchors: an older anchor that is put back goes behind no released batch', async () => {
    const { ledger, a } = await withTwo();
    copyFileSync(join(host.folder, 'anchor'), join(host.folder, 'anchor.old'));
    for (const name of ['a2', 'a3', 'a4']) {
      await change(ledger, a.id, name);
      await ledger.settled();
    }
    copyFileSync(join(host.folder, 'anchor.old'), join(host.folder, 'anchor'));
    expect((await refusalOf()).message).toMatch(/at most 2 can be/);
  });
});
