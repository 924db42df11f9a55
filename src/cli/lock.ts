/** One service per data directory, by flock(2) on descriptors that live as long as any process that must be gone first. */
import { spawn } from 'node:child_process';
import { constants, openSync } from 'node:fs';
import { join } from 'node:path';
import { OperatorError } from './operator-error.ts';

export type Locks = {
  /** Held by the supervisor and the enclave: the lock of the anchor. */
  readonly enclave: number;
  /** Held by the supervisor, api and PostgreSQL, who could let go of it; so it guards nothing but their own leftovers. */
  readonly others: number;
};

const orphansMs = 30_000;

/** Takes both locks, waiting for up to 30 s until the processes of a killed supervisor are gone. Never closes them. */
export async function lockDataDirectory(
  dataDir: string,
  flock: string | undefined,
  say: (line: string) => void,
): Promise<Locks> {
  const [enclave, others] = ['enclave.lock', 'others.lock'].map((name) =>
    openSync(join(dataDir, name), constants.O_RDWR | constants.O_CREAT, 0o600),
  ) as [number, number];
  if (!flock) {
    say(
      'flock(1) is not installed: a second start on this data directory will not be noticed. Take care to run only one.',
    );
    return { enclave, others };
  }
  const until = Date.now() + orphansMs;
  for (const descriptor of [enclave, others]) {
    if (await take(flock, ['-n'], descriptor)) continue;
    say('waiting for the processes of another start on this data directory to end');
    const seconds = Math.max(1, (until - Date.now()) / 1000);
    if (await take(flock, ['-w', seconds.toFixed(1)], descriptor)) continue;
    throw new OperatorError(
      `another countersign is running on ${dataDir}; stop it, or set COUNTERSIGN_DATA_DIR to another directory`,
    );
  }
  return { enclave, others };
}

/** Takes the lock of a folder for as long as this process lives: false where another has it. Without flock(1) nobody has. */
export async function lockFolder(folder: string, flock: string | undefined): Promise<boolean> {
  if (!flock) return true;
  return take(flock, ['-n'], openSync(join(folder, 'lock'), constants.O_RDWR | constants.O_CREAT, 0o600));
}

function take(flock: string, options: readonly string[], descriptor: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const child = spawn(flock, [...options, '3'], { stdio: ['ignore', 'ignore', 'inherit', descriptor] });
    child.on('error', reject);
    child.on('exit', (code) => resolve(code === 0));
  });
}
