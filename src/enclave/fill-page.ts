import type { Pagination } from './answer.ts';

/** Fetches for one page: beyond that it is as long as it has become, so that nobody keeps the enclave busy with one query. */
const mostFetches = 20;

/**
 * A page of what is left of fetched ids once each was looked at: fetches on until the page is full or there is no more, so
 * that a page is short only at the end. `ids` are in order, and those that were left out count as fetched.
 */
export async function fillPage<T>(
  { limit, ...bounds }: Pagination,
  fetch: (part: Pagination) => Promise<{ readonly ids: readonly string[]; readonly found: readonly T[] }>,
): Promise<T[]> {
  const isBackwards = bounds.before !== undefined && bounds.after === undefined;
  let page: T[] = [];
  for (let count = 0; count < mostFetches; count++) {
    const { ids, found } = await fetch({ ...bounds, limit });
    page = isBackwards ? [...found, ...page].slice(-limit) : [...page, ...found].slice(0, limit);
    const last = isBackwards ? ids[0] : ids.at(-1);
    if (page.length === limit || ids.length < limit || last === undefined) break;
    bounds = { ...bounds, [isBackwards ? 'before' : 'after']: last };
  }
  return page;
}
