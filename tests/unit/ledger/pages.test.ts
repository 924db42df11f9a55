import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  changePages,
  digestOfPages,
  type Layout,
  layoutOf,
  openPages,
  pageCapacity,
} from '../../../src/enclave/ledger/pages.ts';
import { createSealer } from '../../../src/enclave/sealing/seal.ts';
import { type Organization, put, without } from '../../../src/enclave/state.ts';
import { uuidBytes } from '../../../src/protocol/uuid.ts';
import { organization, rename, user } from '../../support/test-ledger.ts';

const sealer = createSealer(randomBytes(32));
type Row = { kind: string; index: number; version: number; sealed: Uint8Array };

/** The rows of one organization as a database keeps them. */
function createRows(first: Organization) {
  const id = uuidBytes(first.id);
  const rows = new Map<string, Row>();
  let layout: Layout;
  let current: Organization;
  let sequence = 0;
  const take = (before: { organization: Organization; layout: Layout } | null, after: Organization) => {
    const changes = changePages(id, before, after, ++sequence, sealer);
    for (const { kind, index } of changes.removed) rows.delete(`${kind}/${index}`);
    for (const row of changes.written) rows.set(`${row.kind}/${row.index}`, row);
    layout = changes.layout;
    current = after;
    return changes;
  };
  take(null, first);
  return {
    id,
    rows,
    change: (after: Organization) => take({ organization: current, layout }, after),
    layout: () => layout,
    current: () => current,
    open: () => openPages(id, [...rows.values()], sealer),
  };
}

const edit = fc.oneof(
  fc.record({ type: fc.constant('add' as const), count: fc.integer({ min: 1, max: 90 }) }),
  fc.record({ type: fc.constant('remove' as const), places: fc.array(fc.nat(300), { minLength: 1, maxLength: 80 }) }),
  fc.record({ type: fc.constant('update' as const), places: fc.array(fc.nat(300), { minLength: 1, maxLength: 5 }) }),
  fc.record({ type: fc.constant('settings' as const) }),
);

test('whatever is changed, opening the rows gives the organization in its order, and only what changed was written', () => {
  let count = 0;
  fc.assert(
    fc.property(fc.array(edit, { maxLength: 12 }), (edits) => {
      const pages = createRows(organization('o'));
      for (const step of edits) {
        const before = pages.current();
        const layoutBefore = pages.layout();
        const ids = [...before.users.keys()];
        const at = (places: number[]) =>
          places.map((place) => ids[place]).filter((id): id is string => id !== undefined);
        let after = before;
        if (step.type === 'settings') after = rename(before, `name ${count++}`);
        if (step.type === 'add') {
          after = {
            ...before,
            users: put(before.users, ...Array.from({ length: step.count }, () => user(`u${count++}`))),
          };
        }
        if (step.type === 'remove') after = { ...before, users: without(before.users, at(step.places)) };
        if (step.type === 'update') {
          const changed = at(step.places).map((id) => ({
            ...(before.users.get(id) as ReturnType<typeof user>),
            name: `n${count++}`,
          }));
          after = { ...before, users: put(before.users, ...changed) };
        }
        const { written, removed } = pages.change(after);

        const { content, layout } = pages.open();
        expect(content.settings).toEqual(after.settings);
        expect([...content.users]).toEqual([...after.users]);
        expect([...layout.keys()].sort()).toEqual([...pages.layout().keys()].sort());
        expect(digestOfPages(layout)).toEqual(digestOfPages(pages.layout()));
        for (const page of layout.values()) {
          expect(page).toEqual(pages.layout().get(`${page.kind}/${page.index}`));
          expect(page.ids.length).toBeLessThanOrEqual(pageCapacity);
          if (page.kind === 'users') expect(page.ids.length).toBeGreaterThan(0);
        }
        const touched = new Set([...written, ...removed].map(({ kind, index }) => `${kind}/${index}`));
        for (const [name, page] of layoutBefore) {
          const was = page.ids.map((id) => before.users.get(id));
          const is = (layout.get(name)?.ids ?? []).map((id) => after.users.get(id));
          const isSame =
            page.kind === 'settings'
              ? before.settings === after.settings
              : was.length === is.length && was.every((u, i) => u === is[i]);
          expect(touched.has(name)).toBe(!isSame);
        }
      }
    }),
    { numRuns: 40 },
  );
}, 60_000);

test('a change of one kind writes no page of another', () => {
  const pages = createRows(
    organization(
      'o',
      null,
      Array.from({ length: 200 }, (_, index) => user(`${index}`)),
    ),
  );
  expect([...pages.rows.keys()].sort()).toEqual(['settings/0', 'users/0', 'users/1', 'users/2', 'users/3']);
  const { written } = pages.change(rename(pages.current(), 'other'));
  expect(written.map(({ kind, index }) => `${kind}/${index}`)).toEqual(['settings/0']);
});

test('the digest is over kind, place and content of every page, in whatever order they come', () => {
  const pages = createRows(
    organization(
      'o',
      null,
      Array.from({ length: 130 }, (_, index) => user(`${index}`)),
    ),
  );
  const rows = [...pages.rows.values()];
  const digest = digestOfPages(layoutOf(rows));
  expect(digest).toEqual(digestOfPages(pages.layout()));
  expect(digestOfPages(layoutOf([...rows].reverse()))).toEqual(digest);
  const others = [
    rows.slice(1),
    [...rows, { kind: 'users', index: 9, sealed: Buffer.alloc(0) }],
    rows.map((row) => ({ ...row, index: row.index + 1 })),
    rows.map((row) => (row.kind === 'users' ? { ...row, kind: 'policies' } : row)),
    rows.map((row, at) => (at === 1 ? { ...row, sealed: Buffer.concat([row.sealed, Buffer.of(0)]) } : row)),
  ];
  for (const other of others) expect(digestOfPages(layoutOf(other))).not.toEqual(digest);
});

test('a page opens at its own place in its own organization only', () => {
  const pages = createRows(organization('o'));
  const rows = [...pages.rows.values()];
  expect(() => openPages(randomBytes(16), rows, sealer)).toThrow('was not sealed for this place');
  expect(() =>
    openPages(
      pages.id,
      rows.map((row) => ({ ...row, index: 1 })),
      sealer,
    ),
  ).toThrow('was not sealed for this place');
  expect(() =>
    openPages(
      pages.id,
      rows.filter(({ kind }) => kind === 'users'),
      sealer,
    ),
  ).toThrow('no settings page');
});
