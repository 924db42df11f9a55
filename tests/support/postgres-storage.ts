/** The rows in a real PostgreSQL, by what `api` itself reads and writes them with. */

import { createBatchWriter } from '../../src/api/storage/batch-writer.ts';
import { openPool } from '../../src/api/storage/connection.ts';
import { noteDenial } from '../../src/api/storage/denials.ts';
import { createFetcher } from '../../src/api/storage/fetch-rows.ts';
import type { Storage } from './enclave-process.ts';
import type { Connection } from './memory-storage.ts';

export function openPostgresStorage(databaseUrl: string): Storage & { close(): Promise<void> } {
  const pool = openPool(databaseUrl);
  let connection: Connection | undefined;
  const writer = createBatchWriter(databaseUrl, {
    onWritten: ({ number }, outcome) => connection?.[outcome](number),
    onFailed: () => {},
  });
  return {
    port: { fetch: createFetcher(pool), write: writer.write, note: (row) => void noteDenial(pool, row) },
    connect(next) {
      connection = next;
    },
    async close() {
      writer.close();
      await pool.end();
    },
  };
}
