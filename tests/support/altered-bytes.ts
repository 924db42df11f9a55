/** Attacks by alteration, counted: what was tried, and how often somebody came to more than is theirs. */

export type Tally = { tried: number; gained: number };

/**
 * Alters one column of one row of a table in memory, a byte at a time and by another bit each, and has `attempt` say whether
 * anybody gained by it; of every `stride` bytes the first. The row is put back.
 */
export async function alterEachByte<Row extends object>(
  table: Map<string | number, Row>,
  key: string | number,
  column: keyof Row,
  attempt: () => Promise<boolean>,
  stride = 1,
): Promise<Tally> {
  const row = table.get(key) as Row;
  const bytes = row[column] as Uint8Array;
  const tally = { tried: 0, gained: 0 };
  for (let at = 0; at < bytes.length; at += stride) {
    const altered = Buffer.from(bytes);
    altered[at] = (altered[at] as number) ^ (1 << (at % 8));
    table.set(key, { ...row, [column]: altered });
    tally.tried++;
    if (await attempt()) tally.gained++;
  }
  table.set(key, row);
  return tally;
}
