/** Entries of the log as C2SP tlog-tiles bundles them: a length of two bytes, big-endian, and the entry, one after another. */

const maxEntry = 0xffff;

export function toEntryBundle(entries: readonly Uint8Array[]): Uint8Array {
  const bundle = new Uint8Array(entries.reduce((size, entry) => size + 2 + entry.length, 0));
  let at = 0;
  for (const entry of entries) {
    if (entry.length > maxEntry)
      throw new RangeError(`an entry of the log has ${entry.length} bytes, at most ${maxEntry} fit`);
    bundle[at++] = entry.length >> 8;
    bundle[at++] = entry.length & 0xff;
    bundle.set(entry, at);
    at += entry.length;
  }
  return bundle;
}

/** The entries of a bundle, as views into it. Throws a RangeError when it is cut short. */
export function entriesOf(bundle: Uint8Array): Uint8Array[] {
  const entries: Uint8Array[] = [];
  for (let at = 0; at < bundle.length; ) {
    const start = at + 2;
    const end = start + (((bundle[at] as number) << 8) | (bundle[at + 1] ?? 0));
    if (start > bundle.length || end > bundle.length) throw new RangeError('a bundle of log entries is cut short');
    entries.push(bundle.subarray(start, end));
    at = end;
  }
  return entries;
}
