/** A moment at which anchor and database belong together, while the service goes on. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type pg from 'pg';
import { type Cbor, decode } from '../../protocol/cbor.ts';
import { OperatorError } from '../operator-error.ts';

/** As many batches as a database may be ahead of its anchor (src/enclave/ledger/boot-machine.ts). */
const maxAhead = 2;
const attempts = 200;
const slotSize = 4096;

export type Snapshot = { readonly anchor: Buffer | null; readonly anchored: number | null; readonly stored: number };

/**
 * Reads the anchor and then begins a transaction in which the database stays as it is: it may be ahead of the anchor by the
 * batches that were on their way, and is never behind. The caller ends the transaction.
 */
export async function takeSnapshot(client: pg.Client, enclaveFolder: string): Promise<Snapshot> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const anchor = readAnchor(enclaveFolder);
    const anchored = anchor && newestNumber(anchor);
    await client.query('begin isolation level repeatable read read only');
    const { rows } = await client.query<{ number: string }>('select coalesce(max(number), 0) as number from batches');
    const stored = Number(rows[0]?.number ?? 0);
    if (anchored === null || (stored >= anchored && stored <= anchored + maxAhead)) return { anchor, anchored, stored };
    await client.query('rollback');
    if (stored < anchored) {
      throw new OperatorError(
        `the database holds batch ${stored} at most, the anchor names batch ${anchored}: they do not belong together`,
      );
    }
  }
  throw new OperatorError(
    'the service writes faster than the database answers here; run the backup nearer to the database, or stop the service',
  );
}

/** The file `anchor` as it is between two writes; null where the anchor lies elsewhere. */
function readAnchor(folder: string): Buffer | null {
  const path = join(folder, 'anchor');
  if (!existsSync(path)) return null;
  for (;;) {
    const [one, two] = [readFileSync(path), readFileSync(path)];
    if (one.equals(two)) return one;
  }
}

/** The number of the newest batch in one of the two slots; the enclave alone can tell whether a slot is genuine. */
function newestNumber(anchor: Buffer): number {
  const numbers = [0, slotSize].map((start) => {
    const length = anchor.length >= start + 4 ? anchor.readUInt32BE(start) : 0;
    if (length === 0 || length > slotSize - 4) return -1;
    try {
      const { number } = decode(anchor.subarray(start + 4, start + 4 + length)) as { [name: string]: Cbor };
      return typeof number === 'number' ? number : -1;
    } catch {
      return -1;
    }
  });
  const newest = Math.max(...numbers);
  if (newest < 0) throw new OperatorError('the anchor in the enclave folder cannot be read');
  return newest;
}
