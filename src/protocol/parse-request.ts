import type { Query, QueryRequest } from './activities/activity.ts';
import type { JsonValue } from './json.ts';
import { parseFields } from './parse-parameters.ts';

/**
 * The request of `query` in `body`, the parsed JSON of the request. Members that are null count as absent and unknown
 * ones are ignored. Throws INVALID_ARGUMENT with the path of each field that is wrong.
 */
export const parseRequest = <Q extends Query>(query: Q, body: JsonValue): QueryRequest<Q> =>
  parseFields(query.request, body);
