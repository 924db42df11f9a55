/** The `countersign` command as a process group of its own, also where it is expected to fail. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { descendants, isAlive } from '../support/service.ts';

export type Launched = {
  readonly pid: number;
  /** Resolves when the first process has ended: with its exit code, null after a signal. */
  readonly ended: Promise<number | null>;
  /** What it wrote so far, to both streams. */
  output(): string;
  /** Resolves when the output has `text`; rejects when the process ends before. */
  says(text: string, timeoutMs?: number): Promise<void>;
  /** Resolves when /health answers 200. */
  healthy(timeoutMs?: number): Promise<void>;
  signal(signal: NodeJS.Signals): void;
  /** All processes of it that run now. */
  processes(): number[];
};

export type LaunchOptions = {
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  /** Words before the command, such as those of setpriv(1). */
  readonly prefix?: readonly string[];
};

const command = fileURLToPath(new URL('../../bin/countersign.mjs', import.meta.url));
const running = new Set<ChildProcess>();

process.once('exit', () => {
  for (const child of running) signalGroup(child, 'SIGKILL');
});

/** Settings come from `env` alone. */
export function launch({ env = {}, args = ['start'], prefix = [] }: LaunchOptions): Launched {
  const [program = '', ...words] = [...prefix, process.execPath, command, ...args];
  const child = spawn(program, words, {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    env: { PATH: process.env.PATH, ...env },
  });
  running.add(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
    });
  }
  const ended = once(child, 'close').then(() => {
    running.delete(child);
    return child.exitCode;
  });
  const until = async (what: string, holds: () => Promise<boolean> | boolean, timeoutMs: number) => {
    const deadline = performance.now() + timeoutMs;
    while (!(await holds())) {
      if (!running.has(child)) throw new Error(`it ended before ${what}:\n${output}`);
      if (performance.now() > deadline) throw new Error(`waited ${timeoutMs} ms for ${what}:\n${output}`);
      await sleep(25);
    }
  };
  return {
    pid: child.pid as number,
    ended,
    output: () => output,
    says: (text, timeoutMs = 60_000) => until(JSON.stringify(text), () => output.includes(text), timeoutMs),
    healthy: (timeoutMs = 60_000) => until('health', () => isHealthy(`http://127.0.0.1:${env.PORT}`), timeoutMs),
    signal: (signal) => signalGroup(child, signal),
    processes: () => [child.pid as number, ...descendants(child.pid as number)].filter(isAlive),
  };
}

/** Runs the command to its end; for starts that fail. */
export async function run(options: LaunchOptions): Promise<{ code: number | null; output: string }> {
  const launched = launch(options);
  const late = setTimeout(() => launched.signal('SIGKILL'), 60_000);
  const code = await launched.ended;
  clearTimeout(late);
  return { code, output: launched.output() };
}

/** Those of `pids` that are still there after `timeoutMs`; none as soon as all are gone. */
export async function leftOf(pids: readonly number[], timeoutMs: number): Promise<number[]> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const left = pids.filter(isAlive);
    if (left.length === 0 || performance.now() > deadline) return left;
    await sleep(20);
  }
}

export async function isHealthy(baseUrl: string): Promise<boolean> {
  const response = await fetch(`${baseUrl}/health`, { signal: AbortSignal.timeout(5000) }).catch(() => undefined);
  await response?.body?.cancel();
  return response?.status === 200;
}

/** Waits until the service answers by itself again. */
export async function healthyAgain(baseUrl: string, timeoutMs = 60_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await isHealthy(baseUrl))) {
    if (performance.now() > deadline) throw new Error(`the service is not back after ${timeoutMs} ms`);
    await sleep(50);
  }
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group has just ended.
  }
}
