/** A map in memory whose entries last `lifetimeMs`, of at most `max`: the oldest make room. */
export function createExpiringMap<V>(lifetimeMs: number, max = 10_000) {
  const entries = new Map<string, { readonly value: V; readonly until: number }>();
  return {
    get(key: string): V | undefined {
      const entry = entries.get(key);
      return entry && entry.until > Date.now() ? entry.value : undefined;
    },
    set(key: string, value: V): void {
      entries.delete(key);
      for (const [oldest, { until }] of entries) {
        if (until > Date.now() && entries.size < max) break;
        entries.delete(oldest);
      }
      entries.set(key, { value, until: Date.now() + lifetimeMs });
    },
    delete: (key: string): boolean => entries.delete(key),
  };
}
