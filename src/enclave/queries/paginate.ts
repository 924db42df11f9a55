import { notFound } from '../activities/refusals.ts';
import type { Pagination } from '../answer.ts';

/** The page of `items` that follows `after`, or else the one that ends at `before`. NOT_FOUND for ids that are not there. */
export function paginate<T extends { readonly id: string }>(
  items: readonly T[],
  { limit, before, after }: Pagination,
  what: string,
): T[] {
  const placeOf = (id: string, field: string): number => {
    const index = items.findIndex((item) => item.id === id);
    if (index < 0) throw notFound(`paginationOptions.${field}`, what, id);
    return index;
  };
  const start = after === undefined ? 0 : placeOf(after, 'after') + 1;
  const end = before === undefined ? items.length : placeOf(before, 'before');
  const between = items.slice(start, end);
  return before !== undefined && after === undefined ? between.slice(-limit) : between.slice(0, limit);
}
