/** The service that a demo runs against: the one that runs already, otherwise one of its own that leaves nothing behind. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readJsonIfThere } from './files.ts';
import { askHealth } from './health.ts';
import { OperatorError } from './operator-error.ts';
import { freePort } from './port.ts';
import { type RootFile, readRootFile, rootFilePath } from './root-file.ts';
import type { Settings } from './settings.ts';

const readyTimeoutMs = 60_000;

export async function useService(settings: Settings, work: (root: RootFile) => Promise<void>): Promise<void> {
  const root = readJsonIfThere<RootFile>(rootFilePath(settings.dataDir));
  if (root && (await answers(root.apiBaseUrl))) {
    say(`against ${root.apiBaseUrl}, which runs on ${settings.dataDir}`);
    return work(root);
  }
  say(`nothing answers for ${settings.dataDir}; starting a service for this demo, on a temporary data directory`);
  await withOwnService(work);
}

async function withOwnService(work: (root: RootFile) => Promise<void>): Promise<void> {
  const dataDir = mkdtempSync(join(tmpdir(), 'countersign-demo-'));
  const port = await freePort();
  const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts'), 'start'], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      PATH: process.env.PATH,
      PORT: String(port),
      COUNTERSIGN_DATA_DIR: dataDir,
      COUNTERSIGN_LOG_LEVEL: 'warn',
    },
  });
  const ended = once(child, 'exit');
  const cleanUp = async () => {
    if (isRunning(child)) child.kill('SIGTERM');
    await ended;
    rmSync(dataDir, { recursive: true, force: true });
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => void cleanUp().then(() => process.exit(130)));
  }
  try {
    await ready(child, port);
    await work(readRootFile(dataDir));
  } finally {
    await cleanUp();
  }
}

async function ready(child: ChildProcess, port: number): Promise<void> {
  const until = performance.now() + readyTimeoutMs;
  while ((await askHealth('127.0.0.1', port))?.status !== 200) {
    if (!isRunning(child)) throw new OperatorError('the service for the demo ended before it was ready');
    if (performance.now() > until)
      throw new OperatorError(`the service for the demo is not ready after ${readyTimeoutMs} ms`);
    await sleep(25);
  }
}

const isRunning = (child: ChildProcess) => child.exitCode === null && child.signalCode === null;

const answers = (baseUrl: string): Promise<boolean> =>
  fetch(`${baseUrl}/health`, { signal: AbortSignal.timeout(3000) }).then(
    (response) => response.ok,
    () => false,
  );

const say = (line: string): void => {
  process.stdout.write(`Countersign demo, ${line}\n`);
};
