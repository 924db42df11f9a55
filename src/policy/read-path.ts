import type { Value } from './types.ts';
import type { Facts } from './values.ts';

/** A field by the names that lead to it; undefined where it or a struct on the way is absent. */
export function readPath(facts: Facts, path: readonly string[]): Value | undefined {
  let value: Value | Facts | undefined = facts;
  for (const name of path) {
    if (value === undefined || value === null || typeof value !== 'object') return undefined;
    value = (value as Facts)[name];
  }
  return value as Value | undefined;
}
