/** Brings batches into the database: in order, one at a time, each until it is there (DESIGN §4). */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import type { BatchRows } from '../../protocol/messages.ts';
import { connect, disconnect } from './connection.ts';
import { describeDatabaseError } from './describe-error.ts';
import { takeLease } from './lease.ts';
import { type WriteOutcome, writeBatch } from './write-batch.ts';

/** Writes that fail: since when (`performance.now()`), and why. */
export type WriteTrouble = { readonly since: number; readonly reason: string };

export type BatchWriter = {
  /** Queues `batch` behind those before it. A batch that was handed over is never given up. */
  write(batch: BatchRows): void;
  /** Holds the database for the enclave of this boot id from now on: null; or says who else does. */
  lease(holder: Uint8Array): Promise<string | null>;
  /** Set while the database does not take the batch that is next. */
  trouble(): WriteTrouble | null;
  /** Resolves when nothing is left to write. */
  idle(): Promise<void>;
  /** Ends the connection; what is queued stays unwritten. */
  close(): void;
};

export type BatchWriterEvents = {
  /** `seconds` is what the successful attempt took. */
  onWritten(batch: BatchRows, outcome: WriteOutcome, seconds: number): void;
  onFailed(batch: BatchRows, error: unknown): void;
};

const firstDelay = 20;
const longestDelay = 1_000;

export function createBatchWriter(databaseUrl: string, events: BatchWriterEvents): BatchWriter {
  let client: Client | null = null;
  let trouble: WriteTrouble | null = null;
  let closed = false;
  let last: Promise<void> = Promise.resolve();

  let holder: Uint8Array | null = null;

  /** The connection, which the lease goes with; `refused` when another enclave took the database meanwhile. */
  const open = async (): Promise<{ client: Client; refused: string | null }> => {
    if (client) return { client, refused: null };
    client = await connect(databaseUrl);
    return { client, refused: holder && (await takeLease(client, holder)) };
  };

  const attempt = async (batch: BatchRows): Promise<WriteOutcome> => {
    const { client: opened, refused } = await open();
    if (refused === null) return writeBatch(opened, batch);
    // Kept, it would be taken for one that the lease goes with.
    disconnect(opened);
    client = null;
    return 'conflict';
  };

  /** Tries until it is done; undefined when the writer was closed before. */
  const untilDone = async <T>(work: () => Promise<T>, onFailed?: (error: unknown) => void): Promise<T | undefined> => {
    for (let delay = firstDelay; !closed; delay = Math.min(delay * 2, longestDelay)) {
      const start = performance.now();
      try {
        const result = await work();
        trouble = null;
        return result;
      } catch (error) {
        // The connection may be half-dead, and whether the batch is there is only known by writing it again.
        if (client) disconnect(client);
        client = null;
        trouble = { since: trouble?.since ?? start, reason: describeDatabaseError(error) };
        onFailed?.(error);
        await sleep(delay);
      }
    }
    return undefined;
  };

  const writeUntilDone = async (batch: BatchRows) => {
    let seconds = 0;
    const timed = async () => {
      const start = performance.now();
      const outcome = await attempt(batch);
      seconds = (performance.now() - start) / 1000;
      return outcome;
    };
    const outcome = await untilDone(timed, (error) => events.onFailed(batch, error));
    if (outcome) events.onWritten(batch, outcome, seconds);
  };

  const leaseUntilDone = async (boot: Uint8Array): Promise<string | null> => {
    const leased = async () => takeLease((await open()).client, boot);
    const refused = await untilDone(leased);
    if (refused === null) holder = boot;
    return refused === undefined ? 'api is stopping' : refused;
  };

  return {
    write(batch) {
      last = last.then(() => writeUntilDone(batch));
    },
    lease(boot) {
      const leased = last.then(() => leaseUntilDone(boot));
      last = leased.then(() => {});
      return leased;
    },
    trouble: () => trouble,
    idle: () => last,
    close() {
      closed = true;
      if (client) disconnect(client);
    },
  };
}
