/** Brings batches into the database: in order, one at a time, each until it is there (DESIGN §4). */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import type { BatchRows } from '../../protocol/messages.ts';
import { connect, disconnect } from './connection.ts';
import { describeDatabaseError } from './describe-error.ts';
import { type WriteOutcome, writeBatch } from './write-batch.ts';

/** Writes that fail: since when (`performance.now()`), and why. */
export type WriteTrouble = { readonly since: number; readonly reason: string };

export type BatchWriter = {
  /** Queues `batch` behind those before it. A batch that was handed over is never given up. */
  write(batch: BatchRows): void;
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

  const attempt = async (batch: BatchRows) => {
    client ??= await connect(databaseUrl);
    return writeBatch(client, batch);
  };

  const writeUntilDone = async (batch: BatchRows) => {
    for (let delay = firstDelay; !closed; delay = Math.min(delay * 2, longestDelay)) {
      const start = performance.now();
      try {
        const outcome = await attempt(batch);
        trouble = null;
        events.onWritten(batch, outcome, (performance.now() - start) / 1000);
        return;
      } catch (error) {
        // The connection may be half-dead, and whether the batch is there is only known by writing it again.
        if (client) disconnect(client);
        client = null;
        trouble = { since: trouble?.since ?? start, reason: describeDatabaseError(error) };
        events.onFailed(batch, error);
        await sleep(delay);
      }
    }
  };

  return {
    write(batch) {
      last = last.then(() => writeUntilDone(batch));
    },
    trouble: () => trouble,
    idle: () => last,
    close() {
      closed = true;
      if (client) disconnect(client);
    },
  };
}
