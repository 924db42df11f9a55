/** Processes as /proc shows them (Linux); elsewhere there is no memory to report. */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** Starts a process in a group of its own, so that Ctrl-C is ours to pass on. */
export function start(command: readonly string[], options: SpawnOptions): ChildProcess {
  const [program, ...args] = command as [string, ...string[]];
  return spawn(program, args, { ...options, detached: true });
}

/** Ends a process that `start` started, and its group; forcibly after 15 s. */
export async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  const signal = (name: NodeJS.Signals) => {
    try {
      process.kill(-(child.pid as number), name);
    } catch {
      // The group is gone.
    }
  };
  signal('SIGTERM');
  await Promise.race([ended, delay(15_000, undefined, { ref: false }).then(() => signal('SIGKILL'))]);
  await ended;
}

/** Ids of all processes below `pid`. */
export function descendants(pid: number): number[] {
  const children = new Map<number, number[]>();
  for (const entry of readdirSync('/proc')) {
    const parent = /^\d+$/.test(entry) ? parentOf(Number(entry)) : undefined;
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), Number(entry)]);
  }
  const below = (id: number): number[] => (children.get(id) ?? []).flatMap((child) => [child, ...below(child)]);
  return below(pid);
}

/** Arguments it was started with; empty for a process that is gone. */
export const commandLine = (pid: number): string[] => read(`/proc/${pid}/cmdline`)?.split('\0') ?? [];

/** Resident memory in bytes; 0 for a process that is gone. */
export const residentMemory = (pid: number): number =>
  Number(/^VmRSS:\s*(\d+) kB/m.exec(read(`/proc/${pid}/status`) ?? '')?.[1] ?? 0) * 1024;

/** Seconds of CPU that it has used, to 1/100. */
export function cpuSeconds(pid: number): number {
  const stat = read(`/proc/${pid}/stat`) ?? '';
  // User and system time; the name before them, in brackets, may hold anything.
  const [user = 0, system = 0] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13)
    .map(Number);
  return (user + system) / 100;
}

const parentOf = (pid: number): number | undefined => {
  const parent = /^PPid:\s*(\d+)/m.exec(read(`/proc/${pid}/status`) ?? '')?.[1];
  return parent === undefined ? undefined : Number(parent);
};

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
