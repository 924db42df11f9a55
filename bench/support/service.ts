/** The service under test, started as `npm start` starts it. */
import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { get } from 'node:http';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../src/cli/port.ts';
import type { ApiKeyPair } from '../../src/stamping/make-api-key-stamp.ts';
import type { Defer } from './clean-up.ts';
import { commandLine, descendants, residentMemory, start, stop } from './processes.ts';

export type Service = {
  readonly port: number;
  /** From the start of the process to the first 200 of GET /health. */
  readonly readyMs: number;
  /** Resident memory of `api` and `enclave`, in bytes. */
  memory(): number;
  stop(): Promise<void>;
};

/** What the service writes about its root organization. */
export type Root = { readonly organizationId: string; readonly apiKey: ApiKeyPair; readonly databaseUrl: string };

const command = fileURLToPath(new URL('../../bin/countersign.mjs', import.meta.url));

const readyTimeout = 180_000;

export async function startService(defer: Defer, dataDir: string): Promise<Service> {
  const port = await freePort();
  const startedAt = performance.now();
  const child = start([process.execPath, command, 'start'], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { PATH: process.env.PATH, PORT: String(port), COUNTERSIGN_DATA_DIR: dataDir },
  });
  const stopService = () => stop(child);
  defer(stopService);
  await healthy(child, port);
  const readyMs = performance.now() - startedAt;
  return { port, readyMs, memory: () => memoryOf(child.pid as number), stop: stopService };
}

export function readRoot(dataDir: string): Root {
  const { organizationId, apiPublicKey, apiPrivateKey, databaseUrl } = JSON.parse(
    readFileSync(join(dataDir, 'root.json'), 'utf8'),
  ) as Record<'organizationId' | 'apiPublicKey' | 'apiPrivateKey' | 'databaseUrl', string>;
  return { organizationId, apiKey: { publicKey: apiPublicKey, privateKey: apiPrivateKey }, databaseUrl };
}

/** Resolves with the first 200 of `GET /health`; rejects when `child` ends or that takes too long. */
export async function healthy(child: ChildProcess, port: number): Promise<void> {
  const startedAt = performance.now();
  const until = startedAt + readyTimeout;
  while ((await statusOf(`http://127.0.0.1:${port}/health`)) !== 200) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error('the service ended before it was ready');
    if (performance.now() > until) throw new Error(`the service is not ready after ${readyTimeout / 1000} s`);
    // Each answer is work for the service: a long start is measured less finely.
    await delay(Math.max(5, (performance.now() - startedAt) / 100));
  }
}

/** undefined while nobody listens. */
function statusOf(url: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    const request = get(url, { agent: false }, (response) => resolve(response.resume().statusCode));
    request.on('error', () => resolve(undefined));
  });
}

const measured = ['src/api/main.ts', 'src/enclave/main.ts'];

function memoryOf(supervisor: number): number {
  const nodes = descendants(supervisor).filter((pid) => {
    const [program = '', ...args] = commandLine(pid);
    return basename(program) === 'node' && measured.some((file) => args.some((argument) => argument.endsWith(file)));
  });
  return nodes.reduce((sum, pid) => sum + residentMemory(pid), 0);
}
