/** The `api` process: HTTP and database around the enclave. It holds no key and decides nothing about power. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { entriesOf } from '../protocol/entry-bundle.ts';
import { connectEnclave } from './connect-enclave.ts';
import { createEnclaveClient } from './enclave-client.ts';
import { checkHealth } from './health.ts';
import { createLogRoute } from './http/log.ts';
import { createPages } from './http/pages.ts';
import { createServer } from './http/server.ts';
import { openLog } from './log.ts';
import { createMetrics } from './metrics.ts';
import { readSettings } from './settings.ts';
import { createBatchWriter } from './storage/batch-writer.ts';
import { openPool } from './storage/connection.ts';
import { noteDenial } from './storage/denials.ts';
import { createFetcher } from './storage/fetch-rows.ts';
import { loadConsistencyPath, loadTile } from './storage/log-proofs.ts';
import { prepareTables } from './storage/tables.ts';
import { createWitnessCarrier } from './witnesses.ts';

/** Milliseconds that requests have to finish when the process is told to stop. */
const drainTimeout = 8_000;

const settings = readSettings(process.env);
const { logger, flush } = openLog(settings.logLevel);
let stopping = false;

function exit(code: number): never {
  flush();
  process.exit(code);
}

process.on('uncaughtException', (error) => {
  logger.fatal({ err: error }, 'unexpected error, stopping');
  exit(1);
});

const tables = prepareTables(settings.databaseUrl, (reason, error) =>
  logger.error({ reason, err: error }, 'the tables cannot be used; tried again'),
);
const stream = await connectEnclave(settings.enclaveSocket);
const pool = openPool(settings.databaseUrl);
const fetchRows = createFetcher(pool);
const metrics = createMetrics(() => enclave.waiting());

const writer = createBatchWriter(settings.databaseUrl, {
  onWritten(batch, outcome, seconds) {
    metrics.observeBatch(entriesOf(batch.entries).length, seconds);
    if (outcome === 'conflict')
      logger.error({ batch: batch.number }, 'another batch of this number is in the database');
    enclave.report(batch.number, outcome);
  },
  onFailed(batch, error) {
    metrics.countWriteFailure();
    logger.warn({ batch: batch.number, err: error }, 'the database did not take a batch; it is written again');
  },
});

const enclave = createEnclaveClient({
  stream,
  writer,
  addCheckpoint: createWitnessCarrier((old, size) => loadConsistencyPath(pool, old, size)),
  fetchRows: async (fetch) => {
    if (tables.trouble() !== null) await tables.ready();
    return fetchRows(fetch);
  },
  noteDenial: (row) => noteDenial(pool, row),
  onNoteFailed: (error) => logger.warn({ err: error }, 'a denial could not be noted'),
  onFetchFailed: ({ what }, error) => logger.warn({ what, err: error }, 'the database did not answer'),
  onEnd(error) {
    if (stopping) return;
    logger.fatal({ err: error }, 'the enclave is gone, stopping');
    // Time for the answers that say so.
    setTimeout(() => exit(1), 100);
  },
});

const server = createServer({
  enclave,
  metrics,
  logger,
  health: () => checkHealth({ pool, tables, writer, enclave }),
  log: createLogRoute({ enclave, loadTile: (tile) => loadTile(pool, tile) }),
  pages: createPages(),
  publicUrl: settings.publicUrl,
  rateLimit: settings.rateLimit,
  proxies: settings.proxies,
});

async function stop(): Promise<void> {
  if (stopping) return;
  stopping = true;
  const closed = once(server, 'close');
  server.close();
  await Promise.race([closed, sleep(drainTimeout)]);
  server.closeAllConnections();
  await Promise.race([writer.idle(), sleep(1_000)]);
  enclave.close();
  writer.close();
  logger.info('stopped');
  exit(0);
}

process.on('SIGTERM', stop);
process.on('SIGINT', stop);

server.listen(settings.port, settings.host);
await once(server, 'listening');
const { address, port } = server.address() as AddressInfo;
logger.info({ address, port, ms: Math.round(performance.now()) }, 'listening');
