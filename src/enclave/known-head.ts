/**
 * The user is a witness too (DESIGN §5): a body may name a leaf of the log that its sender was given with an earlier receipt.
 * A log that does not hold it any more was rolled back or forked, and whoever serves it is found out by whoever comes back.
 */
import * as v from 'valibot';
import { CountersignError, invalidArgument, unavailable } from '../protocol/errors.ts';
import type { JsonValue } from '../protocol/json.ts';
import { splitHashes } from './ledger/hash.ts';
import type { Ledger } from './ledger/ledger.ts';
import { includes } from './ledger/log.ts';
import { fetchRows, type Port } from './ledger/port.ts';

const safeInteger = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const schema = v.strictObject({
  /** Size of the log of that receipt's checkpoint. */
  size: safeInteger,
  index: safeInteger,
  leaf: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, 'expected 32 bytes in lower-case hex')),
});

/** Throws FAILED_PRECONDITION where the released log is older than a body's `knownHead`, or another one. */
export async function assertKnownHead(ledger: Ledger, port: Port, knownHead: JsonValue | undefined): Promise<void> {
  if (knownHead === undefined || knownHead === null) return;
  const { size, index, leaf } = read(knownHead);
  const { logSize, logRoot } = ledger.released();
  if (size > logSize) {
    const message = `the service's log has ${logSize} entries, and you were shown ${size}: its state was rolled back`;
    throw refusal(message, 'STATE_ROLLED_BACK');
  }
  const hash = Buffer.from(leaf, 'hex');
  if (ledger.leafAt(index)?.equals(hash)) return;
  const { path } = await fetchRows(port, { what: 'inclusion', index, treeSize: logSize });
  if (path.length === 0 && logSize > 1) throw unavailable('the database does not show the log', 'DATABASE_UNAVAILABLE');
  if (includes(hash, index, logSize, splitHashes(path), logRoot)) return;
  throw refusal(
    `the service's log does not hold entry ${index} as you were shown it: its state was forked`,
    'FORK_DETECTED',
  );
}

const refusal = (message: string, reason: string) =>
  new CountersignError('FAILED_PRECONDITION', `${message}; stop using this service and ask its operator`, { reason });

function read(given: JsonValue): v.InferOutput<typeof schema> {
  const parsed = v.safeParse(schema, given);
  if (parsed.success && parsed.output.index < parsed.output.size) return parsed.output;
  const description =
    'expected {size, index, leaf}: the place of a receipt in the log, its index below the size, its leaf in hex';
  throw invalidArgument('bad request body', { fields: [{ field: 'knownHead', description }] });
}
