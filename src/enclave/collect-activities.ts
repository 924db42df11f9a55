import { CountersignError } from '../protocol/errors.ts';
import type { ProvenActivity } from '../protocol/messages.ts';
import { uuidText } from '../protocol/uuid.ts';
import type { Pagination } from './answer.ts';

/** Rows of one fetch: with bodies of up to 1 MiB each they fit a frame. */
const step = 32;
/** Bytes of the rows of one answer, whose JSON is up to three times as long: the default page of ten always fits. */
const maxBytes = 16 * 1024 * 1024;

/**
 * The rows of a page of activities, by as many calls of `fetch` as it takes. Throws RESOURCE_EXHAUSTED for a page that no
 * answer has room for.
 */
export async function collectActivities(
  fetch: (part: Pagination) => Promise<readonly ProvenActivity[]>,
  { limit, ...bounds }: Pagination,
): Promise<readonly ProvenActivity[]> {
  const isBackwards = bounds.before !== undefined && bounds.after === undefined;
  const parts: (readonly ProvenActivity[])[] = [];
  let size = 0;
  for (let missing = limit; missing > 0; ) {
    const wanted = Math.min(step, missing);
    const found = (await fetch({ ...bounds, limit: wanted })).slice(0, wanted);
    for (const { sealed } of found) size += sealed.length;
    if (size > maxBytes) throw tooLarge();
    parts.push(found);
    missing -= found.length;
    const last = isBackwards ? found[0] : found.at(-1);
    if (!last || found.length < wanted) break;
    bounds = { ...bounds, [isBackwards ? 'before' : 'after']: uuidText(last.id) };
  }
  return (isBackwards ? parts.reverse() : parts).flat();
}

function tooLarge(): CountersignError {
  const description = `expected a lower limit: these activities are larger than ${maxBytes} bytes`;
  return new CountersignError('RESOURCE_EXHAUSTED', 'the answer is too large', {
    fields: [{ field: 'paginationOptions.limit', description }],
  });
}
