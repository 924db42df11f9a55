/** Child processes that end with the supervisor, in the order that it wants. */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

export type Running = {
  readonly name: string;
  readonly child: ChildProcess;
  /** Resolves with how it ended: `exit code 1`, `SIGKILL`. */
  readonly ended: Promise<string>;
  /** Asks it to end and kills it when it has not within its time, or within a second where nothing can be in flight. */
  stop(hurry: boolean): Promise<void>;
  kill(): void;
};

export type Launch = {
  readonly name: string;
  readonly command: readonly string[];
  /** Whether the process to signal is the child of the one that is spawned (see `isForked`). */
  readonly forked: boolean;
  readonly env: Readonly<Record<string, string>>;
  readonly stdio: SpawnOptions['stdio'];
  readonly stopSignal: NodeJS.Signals;
  readonly graceMs: number;
};

/**
 * Starts `command` in a session of its own, so that signals to the supervisor's process group do not reach it and the
 * order of stopping is the supervisor's; its death by SIGKILL reaches it through the kernel (`setpriv --pdeathsig`).
 */
export function launch({ name, command, forked, env, stdio, stopSignal, graceMs }: Launch): Running {
  const [program = '', ...args] = command;
  const child = spawn(program, args, { stdio, env, detached: true });
  const ended = new Promise<string>((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
  const send = (signal: NodeJS.Signals) => {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    try {
      process.kill((forked && onlyChildOf(child.pid)) || child.pid, signal);
    } catch {
      // It has just ended.
    }
  };
  return {
    name,
    child,
    ended,
    kill: () => send('SIGKILL'),
    async stop(hurry) {
      send(stopSignal);
      const timer = setTimeout(() => send('SIGKILL'), hurry ? 1000 : graceMs);
      await ended;
      clearTimeout(timer);
    },
  };
}

/** proc_pid_children(5); undefined before there is one. */
function onlyChildOf(pid: number): number | undefined {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ')[0]) || undefined;
  } catch {
    return undefined;
  }
}

const quickMs = 10_000;
const maxQuickFailures = 5;

export type Group = {
  /** Stops the processes, the last launched first, and restarts none. */
  stop(hurry: boolean): Promise<void>;
  /** Kills them at once. */
  kill(): void;
};

/**
 * Keeps processes running that belong together: when one ends the others are killed and `start` launches all again, at
 * longer and longer intervals. Calls `giveUp` after five failures within 10 s of their start, unless they ran for longer
 * once: then what ails them, such as a full disk, may pass.
 */
export function keepRunning(
  first: readonly Running[],
  start: () => readonly Running[],
  say: (line: string) => void,
  giveUp: (reason: string) => void,
): Group {
  let running = first;
  let stopping = false;
  const watch = async () => {
    let failures = 0;
    let everRan = false;
    while (!stopping) {
      const since = Date.now();
      const reason = await Promise.race(running.map(async ({ name, ended }) => `${name} ended (${await ended})`));
      if (stopping) return;
      for (const each of running) each.kill();
      const endings = await Promise.all(running.map(({ ended }) => ended));
      // An enclave that runs apart ends in order with each connection of its api.
      const inOrder = endings.every((ending) => ending === 'exit code 0');
      const quick = Date.now() - since < quickMs;
      everRan ||= !quick;
      failures = inOrder ? 0 : quick ? Math.min(failures, maxQuickFailures) + 1 : 1;
      if (failures > maxQuickFailures && !everRan) {
        return giveUp(`${reason}; given up after ${maxQuickFailures} quick failures`);
      }
      const pause = failures <= 1 ? 100 : 250 * 2 ** Math.min(failures, maxQuickFailures);
      say(`${reason}; starting again in ${pause / 1000} s`);
      await new Promise((resolve) => setTimeout(resolve, pause));
      if (stopping) return;
      try {
        running = start();
      } catch (error) {
        return giveUp((error as Error).message);
      }
    }
  };
  void watch();
  return {
    async stop(hurry) {
      stopping = true;
      for (const each of running.toReversed()) await each.stop(hurry);
    },
    kill() {
      stopping = true;
      for (const each of running) each.kill();
    },
  };
}
