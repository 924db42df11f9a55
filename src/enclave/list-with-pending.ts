import type { Recorded } from './activity-record.ts';
import type { ActivityPage } from './answer.ts';

/**
 * A page of activities: those that wait, newest first, and behind them the final ones, which `fetchFinal` has by pages. A
 * bound (`before`, `after`) may be the id of either.
 */
export async function listWithPending(
  waiting: readonly Recorded[],
  { before, after, ...page }: ActivityPage,
  fetchFinal: (page: ActivityPage) => Promise<readonly Recorded[]>,
): Promise<readonly Recorded[]> {
  const { limit, types, statuses } = page;
  const placeOf = (id: string | undefined) => waiting.findIndex((each) => each.id === id);
  const [start, end] = [placeOf(after) + 1, placeOf(before)];
  const isMeant = ({ type, status }: Recorded) =>
    (types.length === 0 || types.includes(type)) && (statuses.length === 0 || statuses.includes(status));
  const afterFinal = after !== undefined && start === 0;
  const pending = afterFinal ? [] : waiting.slice(start, end < 0 ? undefined : end).filter(isMeant);
  if (end >= 0) return after === undefined ? pending.slice(-limit) : pending.slice(0, limit);
  if (before !== undefined && after === undefined) {
    const final = await fetchFinal({ ...page, before });
    return final.length < limit ? [...pending.slice(final.length - limit), ...final] : final;
  }
  const first = pending.slice(0, limit);
  if (first.length === limit) return first;
  const rest = { ...page, limit: limit - first.length, ...(before !== undefined && { before }) };
  return [...first, ...(await fetchFinal(afterFinal ? { ...rest, after } : rest))];
}
