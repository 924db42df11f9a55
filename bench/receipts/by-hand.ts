/** The service's processes put together by hand, so that the enclave can be given other modules. Nothing is confined. */
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { enclaveFolder } from '../../src/cli/host.ts';
import { orderDone, placeOrder } from '../../src/cli/orders.ts';
import { freePort } from '../../src/cli/port.ts';
import { newCredentials } from '../../src/cli/root-file.ts';
import type { Defer } from '../support/clean-up.ts';
import { startDatabase } from '../support/database.ts';
import { cpuSeconds, stop } from '../support/processes.ts';
import { healthy, type Root } from '../support/service.ts';

/** `evidence`: log, receipts and file anchor. */
export type Options = { readonly evidence: boolean };

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
const withoutEvidence = path('without-evidence.ts');
// As the supervisor sets them.
const common = ['--disable-sigusr1', '--max-semi-space-size=8'];
const enclaveFlags = ['--disallow-code-generation-from-strings', '--disable-proto=delete', ...common];
const apiFlags = [...common, '--disable-warning=ExperimentalWarning'];

/** PostgreSQL, enclave and api on the new data directory `dataDir`, and its root organization; `cpuSeconds` of the latter two. */
export async function startByHand(
  defer: Defer,
  dataDir: string,
  { evidence }: Options,
): Promise<{ port: number; root: Root; cpuSeconds(): number }> {
  mkdirSync(dataDir);
  const databaseUrl = await startDatabase(defer, dataDir);
  const port = await freePort();
  const swap = evidence ? [] : ['--import', withoutEvidence];
  const enclave = spawn(process.execPath, [...enclaveFlags, ...swap, path('../../src/enclave/main.ts')], {
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
    detached: true,
    env: { COUNTERSIGN_ENCLAVE_DIR: enclaveFolder(dataDir) },
  });
  const end = enclave.stdio[3] as Socket;
  const api = spawn(process.execPath, [...apiFlags, path('../../src/api/main.ts')], {
    stdio: ['ignore', 'ignore', 'inherit', end],
    detached: true,
    env: { PORT: String(port), DATABASE_URL: databaseUrl },
  });
  // In the same turn as the spawn, so that this process never reads from it.
  end.destroy();
  // api first: the enclave ends with the stream.
  defer(() => stop(enclave));
  defer(() => stop(api));
  await healthy(api, port);
  const credentials = newCredentials('http://localhost');
  const { organizationId, apiPublicKey: publicKey, apiPrivateKey: privateKey } = credentials;
  placeOrder(dataDir, credentials, { organizationName: 'bench', userName: 'bench', apiKeyName: 'bench' });
  await orderDone(dataDir, organizationId, AbortSignal.timeout(10_000));
  const pids = [enclave.pid as number, api.pid as number];
  return {
    port,
    root: { organizationId, apiKey: { publicKey, privateKey }, databaseUrl },
    cpuSeconds: () => pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0),
  };
}
