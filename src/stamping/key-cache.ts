import type { KeyObject } from 'node:crypto';

/** About 3 KB each. Importing a point costs as much as verifying with it, so keys in use are kept. */
const maxKeys = 4096;
const keys = new Map<string, KeyObject>();

/** The key of `id`, made by `make` unless it is among the ones used lately. */
export function cachedKey(id: string, make: () => KeyObject): KeyObject {
  const known = keys.get(id);
  if (known) keys.delete(id);
  const key = known ?? make();
  // A Map keeps the order of insertion: its first entry is the one that was used longest ago.
  keys.set(id, key);
  if (keys.size > maxKeys) keys.delete(keys.keys().next().value as string);
  return key;
}
