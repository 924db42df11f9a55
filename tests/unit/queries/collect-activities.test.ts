import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import type { Pagination } from '../../../src/enclave/answer.ts';
import { collectActivities } from '../../../src/enclave/collect-activities.ts';
import type { ProvenActivity } from '../../../src/protocol/messages.ts';
import { uuidText } from '../../../src/protocol/uuid.ts';

/** Activities as the database gives them, newest first, and how many were asked for at a time. */
function stored(count: number, size: number) {
  const rows = Array.from({ length: count }, (_, leafIndex): ProvenActivity => {
    return { id: randomBytes(16), leafIndex, sealed: Buffer.alloc(size), path: Buffer.alloc(0) };
  });
  const asked: number[] = [];
  const placeOf = (id: string) => rows.findIndex((row) => uuidText(row.id) === id);
  const fetch = async ({ limit, before, after }: Pagination) => {
    asked.push(limit);
    const between = rows.slice(after ? placeOf(after) + 1 : 0, before ? placeOf(before) : undefined);
    return before && !after ? between.slice(-limit) : between.slice(0, limit);
  };
  return { rows, asked, fetch, id: (at: number) => uuidText((rows[at] as ProvenActivity).id) };
}

test('a long page comes in steps that fit a frame, from either end', async () => {
  const { rows, asked, fetch, id } = stored(90, 100);
  expect(await collectActivities(fetch, { limit: 70 })).toEqual(rows.slice(0, 70));
  expect(asked).toEqual([32, 32, 6]);
  expect(await collectActivities(fetch, { limit: 100 })).toEqual(rows);
  expect(await collectActivities(fetch, { limit: 50, after: id(9) })).toEqual(rows.slice(10, 60));
  expect(await collectActivities(fetch, { limit: 50, before: id(80) })).toEqual(rows.slice(30, 80));
  expect(await collectActivities(fetch, { limit: 100, before: id(80), after: id(9) })).toEqual(rows.slice(10, 80));
});

test('a page that is too large for an answer is refused, one of ten never', async () => {
  const { rows, fetch } = stored(40, 1_200_000);
  expect(await collectActivities(fetch, { limit: 10 })).toEqual(rows.slice(0, 10));
  const refused = collectActivities(fetch, { limit: 40 });
  await expect(refused).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED', message: 'the answer is too large' });
});
