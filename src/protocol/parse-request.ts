import type { Query, QueryRequest } from './activities/activity.ts';
import type { JsonValue } from './json.ts';
import { parseFields } from './parse-parameters.ts';

/**
 * The request of `query` in `body`, the parsed JSON of the request. Members that are null or an empty string count as
 * absent, for so does a client made from Protocol Buffers write what was not set (ProtoJSON: the default of a string);
 * unknown ones are ignored. Throws INVALID_ARGUMENT with the path of each field that is wrong.
 */
export const parseRequest = <Q extends Query>(query: Q, body: JsonValue): QueryRequest<Q> =>
  parseFields(query.request, withoutEmptyStrings(body));

function withoutEmptyStrings(value: JsonValue): JsonValue {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const members = Object.entries(value).filter(([, member]) => member !== '');
  return Object.fromEntries(members.map(([key, member]) => [key, withoutEmptyStrings(member)]));
}
