import { describe, expect, test } from 'vitest';
import type { Pagination } from '../../../src/enclave/answer.ts';
import { fillPage } from '../../../src/enclave/fill-page.ts';

const ids = Array.from({ length: 60 }, (_, index) => String(index).padStart(2, '0'));

/** Answers as the database does; only what `isThere` holds for is found. */
const pages =
  (isThere: (id: string) => boolean) =>
  async ({ limit, before, after }: Pagination) => {
    const between = ids.filter((id) => (after === undefined || id > after) && (before === undefined || id < before));
    const part = before !== undefined && after === undefined ? between.slice(-limit) : between.slice(0, limit);
    return { ids: part, found: part.filter(isThere) };
  };

describe('a page', () => {
  const isEven = (id: string) => Number(id) % 2 === 0;

  test('is full whatever was left out, in both directions', async () => {
    expect(await fillPage({ limit: 3 }, pages(isEven))).toEqual(['00', '02', '04']);
    expect(await fillPage({ limit: 3, after: '04' }, pages(isEven))).toEqual(['06', '08', '10']);
    expect(await fillPage({ limit: 3, before: '10' }, pages(isEven))).toEqual(['04', '06', '08']);
    expect(await fillPage({ limit: 9, after: '04', before: '11' }, pages(isEven))).toEqual(['06', '08', '10']);
  });

  test('is short at the end only', async () => {
    expect(await fillPage({ limit: 5, after: '55' }, pages(isEven))).toEqual(['56', '58']);
    expect(
      await fillPage(
        { limit: 2, before: '50' },
        pages((id) => id < '20'),
      ),
    ).toEqual(['18', '19']);
    expect(
      await fillPage(
        { limit: 5 },
        pages(() => false),
      ),
    ).toEqual([]);
  });

  test('takes a bounded number of fetches', async () => {
    let fetches = 0;
    await fillPage({ limit: 1 }, async (part) => {
      fetches++;
      return { ...(await pages(() => false)(part)) };
    });
    expect(fetches).toBe(20);
  });
});
