import { describe, expect, test } from 'vitest';
import type { FetchedRows } from '../../../src/protocol/messages.ts';
import { hex } from '../../support/memory-storage.ts';
import {
  activityOf,
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

/** An organization with a page of about `size` bytes. */
const large = (name: string, size: number) => organization(name, null, [user('x'.repeat(size))]);

/** More than the cache holds, so that what was there before is put out. */
async function flushCache(ledger: Awaited<ReturnType<typeof startLedger>>): Promise<void> {
  for (let index = 0; index < 30; index++) {
    ledger.append([{ from: null, to: large(`flush ${index}`, 1_000_000) }]);
    await ledger.settled();
  }
}

const loads = () => host.storage.fetched.filter(({ what }) => what === 'organization').length;

test('what is put out of memory is loaded again as it was', async () => {
  const ledger = await startLedger(host);
  const a = organization('a');
  ledger.append([{ from: null, to: a }]);
  ledger.append([activityOf(await opened(ledger, a.id), 'body', startTime, rename(a, 'renamed'))]);
  await ledger.settled();
  expect(loads()).toBe(0);
  await flushCache(ledger);
  const again = await opened(ledger, a.id);
  expect(loads()).toBe(1);
  expect(again.organization).toEqual(rename(a, 'renamed'));
  expect(await knows(ledger, a.id, 'body', startTime)).toBe(true);
  await opened(ledger, a.id);
  expect(loads()).toBe(1);
});

test('what is not released stays in memory however much comes', async () => {
  const ledger = await startLedger(host);
  const a = organization('a');
  host.storage.store = false;
  ledger.append([{ from: null, to: a }]);
  for (let index = 0; index < 14; index++) ledger.append([{ from: null, to: large(`${index}`, 1_000_000) }]);
  const from = await opened(ledger, a.id);
  ledger.append([{ from, to: rename(a, 'renamed') }]);
  expect((await opened(ledger, a.id)).organization.settings.name).toBe('renamed');
  expect(loads()).toBe(0);
});

test('two loads at once are one, and give one state', async () => {
  const a = organization('a');
  const first = await startLedger(host);
  first.append([{ from: null, to: a }]);
  await first.settled();
  const ledger = await startLedger(host);
  const [one, two] = await Promise.all([opened(ledger, a.id), opened(ledger, a.id)]);
  expect(one).toBe(two);
  expect(loads()).toBe(1);
});

describe('a request holds an organization that was put out of memory', () => {
  /** Starts a load whose rows wait; `held` is the state that a request had from before. */
  async function prepare() {
    const ledger = await startLedger(host);
    const a = organization('a');
    ledger.append([{ from: null, to: a }]);
    await ledger.settled();
    const held = await opened(ledger, a.id);
    await flushCache(ledger);
    let letGo = () => {};
    const gate = new Promise<void>((resolve) => (letGo = resolve));
    return { ledger, a, held, letGo, gate };
  }

  test('its transition counts, and a load of the rows before it gives the newer state', async () => {
    const { ledger, a, held, letGo, gate } = await prepare();
    host.storage.answer = async (fetch, rows) => {
      if (fetch.what === 'organization') await gate;
      return rows;
    };
    const load = opened(ledger, a.id);
    ledger.append([{ from: held, to: rename(a, 'newer') }]);
    letGo();
    expect(await load).toBe(held);
    expect((await opened(ledger, a.id)).organization.settings.name).toBe('newer');
  });

  test('rows that are newer than the load expected are no fault', async () => {
    const { ledger, a, held, letGo, gate } = await prepare();
    let rowsNow: (() => FetchedRows) | undefined;
    host.storage.answer = async (fetch, rows) => {
      if (fetch.what !== 'organization' || hex(fetch.organizationId) !== hex(held.id)) return rows;
      await gate;
      return rowsNow?.() ?? rows;
    };
    const load = opened(ledger, a.id);
    ledger.append([{ from: held, to: rename(a, 'newer') }]);
    await ledger.settled();
    rowsNow = () => {
      const head = host.storage.tables.heads.get(hex(held.id));
      const pages = [...host.storage.tables.pages.values()].filter((row) => hex(row.organizationId) === hex(held.id));
      return { what: 'organization', head: head?.head ?? null, counters: head?.counters ?? null, pages };
    };
    letGo();
    expect((await load).organization.settings.name).toBe('newer');
  });

  test('a load that lasts until the newer state is put out, too, does not bring the older one back', async () => {
    const { ledger, a, held, letGo, gate } = await prepare();
    let first = true;
    host.storage.answer = async (fetch, rows) => {
      if (fetch.what !== 'organization' || hex(fetch.organizationId) !== hex(held.id) || !first) return rows;
      first = false;
      await gate;
      return rows;
    };
    const load = opened(ledger, a.id);
    ledger.append([{ from: held, to: rename(a, 'newer') }]);
    await ledger.settled();
    await flushCache(ledger);
    letGo();
    expect((await load).organization.settings.name).toBe('newer');
    expect((await opened(ledger, a.id)).organization.settings.name).toBe('newer');
  });

  test('of two states of one organization in requests’ hands, one can be carried on', async () => {
    const { ledger, a, held } = await prepare();
    const loaded = await opened(ledger, a.id);
    expect(loaded).not.toBe(held);
    ledger.append([{ from: held, to: rename(a, 'by the held one') }]);
    expect(() => ledger.append([{ from: loaded, to: rename(a, 'by the loaded one') }])).toThrow('changed while');
    expect((await opened(ledger, a.id)).organization.settings.name).toBe('by the held one');
    await ledger.settled();
    const again = await startLedger(host);
    expect((await opened(again, a.id)).organization.settings.name).toBe('by the held one');
  });
});

describe('rows that are not the current ones are refused, and served again when they are back', () => {
  type OrganizationRows = Extract<FetchedRows, { what: 'organization' }>;
  const flip = (bytes: Uint8Array): Buffer => {
    const flipped = Buffer.from(bytes);
    flipped[Math.floor(flipped.length / 2)] = (flipped[Math.floor(flipped.length / 2)] as number) ^ 1;
    return flipped;
  };
  const alterations: [string, (rows: OrganizationRows, old: OrganizationRows) => unknown][] = [
    ['no head', (rows) => ({ ...rows, head: null })],
    ['no counters', (rows) => ({ ...rows, counters: null })],
    ['no pages', (rows) => ({ ...rows, pages: [] })],
    ['a page less', (rows) => ({ ...rows, pages: rows.pages.slice(1) })],
    ['a page twice', (rows) => ({ ...rows, pages: [...rows.pages, ...rows.pages.slice(0, 1)] })],
    [
      'a page under another index',
      (rows) => ({ ...rows, pages: rows.pages.map((page) => ({ ...page, index: page.index + 1 })) }),
    ],
    [
      'a page under another kind',
      (rows) => ({ ...rows, pages: rows.pages.map((page) => ({ ...page, kind: 'policies' })) }),
    ],
    ['a page of no kind', (rows) => ({ ...rows, pages: rows.pages.map((page) => ({ ...page, kind: '__proto__' })) })],
    ['an altered head', (rows) => ({ ...rows, head: flip(rows.head as Uint8Array) })],
    ['altered counters', (rows) => ({ ...rows, counters: flip(rows.counters as Uint8Array) })],
    [
      'an altered page',
      (rows) => ({ ...rows, pages: rows.pages.map((page) => ({ ...page, sealed: flip(page.sealed) })) }),
    ],
    ['an old page, well sealed', (rows, old) => ({ ...rows, pages: [old.pages[0], ...rows.pages.slice(1)] })],
    ['old counters, well sealed', (rows, old) => ({ ...rows, counters: old.counters })],
    ['the whole organization as it was', (_, old) => old],
    ['empty bytes', (rows) => ({ ...rows, head: Buffer.alloc(0), counters: Buffer.alloc(0) })],
    ['huge bytes', (rows) => ({ ...rows, head: Buffer.alloc(30_000_000) })],
    [
      'texts in place of bytes',
      (rows) => ({ ...rows, head: 'head', counters: 'counters', pages: [{ kind: 1, index: 'x', sealed: 2 }] }),
    ],
    ['no rows at all', () => ({ what: 'organization' })],
    ['an answer to something else', () => ({ what: 'heads', heads: [] })],
    ['null', () => null],
  ];

  test.each(alterations)('%s', async (_, alter) => {
    const first = await startLedger(host);
    const a = organization('a');
    first.append([{ from: null, to: a }]);
    const from = await opened(first, a.id);
    await first.settled();
    const rowsOf = () => host.storage.port.fetch({ what: 'organization', organizationId: from.id });
    const old = (await rowsOf()) as OrganizationRows;
    first.append([activityOf(from, 'body', startTime, { ...rename(a, 'b'), counters: { signCounts: { x: 1 } } })]);
    await first.settled();

    const ledger = await startLedger(host);
    host.storage.answer = (fetch, rows) =>
      fetch.what === 'organization' ? (alter(rows as OrganizationRows, old) as FetchedRows) : rows;
    await expect(ledger.organizations.load(a.id)).rejects.toThrow();
    host.storage.answer = (_fetch, rows) => rows;
    expect((await opened(ledger, a.id)).organization.settings.name).toBe('b');
  });

  test('those of another organization', async () => {
    const first = await startLedger(host);
    const [a, b] = [organization('a'), organization('b')];
    first.append([
      { from: null, to: a },
      { from: null, to: b },
    ]);
    await first.settled();
    const idOfB = (await opened(first, b.id)).id;
    const rows = await host.storage.port.fetch({ what: 'organization', organizationId: idOfB });
    const ledger = await startLedger(host);
    host.storage.answer = (fetch, own) => (fetch.what === 'organization' ? rows : own);
    await expect(ledger.organizations.load(a.id)).rejects.toThrow('are not the current ones');
    expect((await opened(ledger, b.id)).organization.settings.name).toBe('b');
  });
});

test('an organization that does not exist is known to be absent without a question to the database', async () => {
  const ledger = await startLedger(host);
  expect(await ledger.organizations.load(organization('a').id)).toBeUndefined();
  expect(loads()).toBe(0);
});
