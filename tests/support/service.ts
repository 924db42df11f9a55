/** The service as `npm start` starts it, for tests: a temporary data directory, a free port, a process group of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../src/cli/port.ts';
import type { RootFile } from '../../src/cli/root-file.ts';

export type ServiceOptions = {
  /** Settings; those of the test's own environment do not reach the service. */
  readonly env?: Readonly<Record<string, string>>;
  /** A data directory to use, such as that of a service that was killed; it is left in place. */
  readonly dataDir?: string;
  readonly port?: number;
};

/** `root.json`; of a service with a database of its own, so with its URL. */
export type Root = RootFile & { readonly databaseUrl: string };

export type Service = {
  /** `http://localhost:PORT`. */
  readonly baseUrl: string;
  readonly port: number;
  readonly dataDir: string;
  readonly root: Root;
  /** Milliseconds from the start of the process to its first 200 of `GET /health`. */
  readonly readyMs: number;
  /** Ids of the processes that run now, read from /proc (Linux). */
  pids(): ServicePids;
  /** What the processes have written so far. */
  output(): string;
  /** Ends it in order (SIGTERM to the group), and removes the data directory if it was made here. */
  stop(): Promise<void>;
  /** SIGKILL to the process group, as when the machine loses power; the data stays, until the test process ends. */
  kill(): Promise<void>;
};

export type ServicePids = {
  readonly supervisor: number;
  readonly api: number | undefined;
  readonly enclave: number | undefined;
  /** PostgreSQL's first process. */
  readonly postgres: number | undefined;
};

const command = fileURLToPath(new URL('../../bin/countersign.mjs', import.meta.url));
const readyTimeoutMs = 120_000;
const stopTimeoutMs = 20_000;

/** Starts the service and waits until it answers. A failure has the service's output in its message. */
export async function startService({ env = {}, dataDir, port }: ServiceOptions = {}): Promise<Service> {
  const folder = dataDir ?? (await mkdtemp(join(tmpdir(), 'countersign-service-')));
  const chosenPort = port ?? (await freePort());
  const removeData = () => {
    if (dataDir === undefined) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  const startedAt = performance.now();
  const child = spawn(...diesWithParent([process.execPath, command, 'start']), {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    env: { PATH: process.env.PATH, PORT: String(chosenPort), COUNTERSIGN_DATA_DIR: folder, ...env },
  });
  const output = collect(child);
  const whenTestsEnd = () => {
    signalGroup(child, 'SIGKILL');
    removeData();
  };
  process.once('exit', whenTestsEnd);
  const stop = async () => {
    const below = descendants(child.pid as number);
    if (isRunning(child)) await stopInOrder(child);
    await gone(below);
    process.removeListener('exit', whenTestsEnd);
    removeData();
  };
  try {
    await healthy(child, chosenPort, output);
    const root = JSON.parse(await readFile(join(folder, 'root.json'), 'utf8')) as Root;
    return {
      baseUrl: `http://localhost:${chosenPort}`,
      port: chosenPort,
      dataDir: folder,
      root,
      readyMs: performance.now() - startedAt,
      pids: () => servicePids(child.pid as number),
      output,
      stop,
      async kill() {
        const ended = once(child, 'exit');
        if (!isRunning(child)) return;
        signalGroup(child, 'SIGKILL');
        await ended;
        if (dataDir !== undefined) process.removeListener('exit', whenTestsEnd);
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Where util-linux is, the kernel ends the service even when the test process is killed and can end nothing itself. */
function diesWithParent(line: readonly string[]): [string, string[]] {
  const setpriv = ['/usr/bin/setpriv', '/bin/setpriv'].find((path) => existsSync(path));
  const [program = '', ...args] = setpriv ? [setpriv, '--pdeathsig', 'TERM', '--', ...line] : line;
  return [program, args];
}

function collect(child: ChildProcess): () => string {
  const chunks: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => chunks.push(chunk));
  }
  return () => chunks.join('');
}

async function healthy(child: ChildProcess, port: number, output: () => string): Promise<void> {
  const until = performance.now() + readyTimeoutMs;
  for (;;) {
    const response = await fetch(`http://127.0.0.1:${port}/health`).catch(() => undefined);
    await response?.body?.cancel();
    if (response?.status === 200) return;
    if (!isRunning(child)) throw new Error(`the service ended before it was ready:\n${output()}`);
    if (performance.now() > until) throw new Error(`the service is not ready after ${readyTimeoutMs} ms:\n${output()}`);
    await sleep(25);
  }
}

const isRunning = (child: ChildProcess) => child.exitCode === null && child.signalCode === null;

async function stopInOrder(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  signalGroup(child, 'SIGTERM');
  const late = sleep(stopTimeoutMs, 'late' as const, { ref: false });
  if ((await Promise.race([ended, late])) === 'late') {
    signalGroup(child, 'SIGKILL');
    await ended;
  }
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined || !isRunning(child)) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group has just ended.
  }
}

/** Waits for processes to be gone, up to 10 s: after a kill they end by themselves, but not at once. */
async function gone(pids: readonly number[]): Promise<void> {
  const until = performance.now() + 10_000;
  while (pids.some(isAlive) && performance.now() < until) await sleep(20);
}

function servicePids(supervisor: number): ServicePids {
  const below = descendants(supervisor);
  // The confinement's own processes name the program in their arguments too; the program is the last of the line.
  const running = (matches: (line: string[]) => boolean) => below.findLast((pid) => matches(commandLine(pid)));
  const main = (file: string) => running((line) => line.some((argument) => argument.endsWith(file)));
  return {
    supervisor,
    api: main('src/api/main.ts'),
    enclave: main('src/enclave/main.ts'),
    postgres: below.find((pid) => /\/postgres$/.test(commandLine(pid)[0] ?? '')),
  };
}

/** Ids of all processes below `pid`, parents before their children. */
export function descendants(pid: number): number[] {
  const children = new Map<number, number[]>();
  const entries = existsSync('/proc/self/stat') ? readdirSync('/proc') : [];
  for (const id of entries.map(Number).filter(Number.isInteger)) {
    const parent = Number(/^PPid:\s*(\d+)/m.exec(read(`/proc/${id}/status`))?.[1]);
    children.set(parent, [...(children.get(parent) ?? []), id]);
  }
  const below = (id: number): number[] => (children.get(id) ?? []).flatMap((child) => [child, ...below(child)]);
  return below(pid);
}

const commandLine = (pid: number): string[] => read(`/proc/${pid}/cmdline`).split('\0').filter(Boolean);

/** A zombie has ended; only its parent has not noticed. */
export const isAlive = (pid: number): boolean => /^State:\s*[^ZX]/m.test(read(`/proc/${pid}/status`));

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
