import * as v from 'valibot';
import { integer, uuid } from '../fields.ts';

/** Which part of a list: `limit` from 1 to 100, between the objects with the ids `after` and `before`. */
export const paginationOptions = v.exactOptional(
  v.object({
    limit: v.exactOptional(integer(1, 100), '10'),
    before: v.exactOptional(uuid),
    after: v.exactOptional(uuid),
  }),
  {},
);
