import type { KeyObject } from 'node:crypto';

/** A cache of the `max` keys that were used last: the key of `id`, made by `make` where it is not among them. */
export function createKeyCache(max: number): (id: string, make: () => KeyObject) => KeyObject {
  const keys = new Map<string, KeyObject>();
  return (id, make) => {
    const known = keys.get(id);
    if (known) keys.delete(id);
    const key = known ?? make();
    // A Map keeps the order of insertion: its first entry is the one that was used longest ago.
    keys.set(id, key);
    if (keys.size > max) keys.delete(keys.keys().next().value as string);
    return key;
  };
}

/** Public keys of credentials, about 3 KB each: importing a point costs as much as verifying with it. */
export const cachedKey = createKeyCache(4096);
