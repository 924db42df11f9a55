import type { JsonValue } from '../protocol/json.ts';
import { formatDuration, formatTimestamp } from './time.ts';
import type { Type, Value } from './types.ts';
import { isBytes, isList, isMap } from './values.ts';

/** A value for people and programs to read: integers beyond 2^53 as `{"$int":"…"}`, as cases are given. */
export function toJson(value: Value | undefined, type?: Type): JsonValue {
  if (value === undefined || value === null) return null;
  if (typeof value === 'bigint') {
    if (type?.kind === 'timestamp') return formatTimestamp(value);
    if (type?.kind === 'duration') return formatDuration(value);
    return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER
      ? Number(value)
      : { $int: String(value) };
  }
  if (typeof value !== 'object') return value;
  if (isBytes(value)) return `0x${Buffer.from(value).toString('hex')}`;
  const element = type?.kind === 'list' ? type.element : undefined;
  if (isList(value)) return value.map((item) => toJson(item, element));
  if (isMap(value)) return Object.fromEntries([...value].map(([key, item]) => [String(key), toJson(item)]));
  const fields = type?.kind === 'struct' ? type.fields : {};
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .map(([name, item]) => [name, toJson(item, fields[name]?.type)]),
  );
}
