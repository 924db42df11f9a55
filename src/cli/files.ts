/** Files and folders of the data directory. */
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import {
  accessSync,
  chownSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { codeOf, OperatorError } from './operator-error.ts';
import { checkout, isWithin } from './view.ts';

/** Makes the data directory if it is missing, checks that it can be used, and gives its real path. */
export function openDataDirectory(path: string): string {
  try {
    makeFolder(path);
    // The dot refuses what is no directory.
    accessSync(`${path}/.`, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new OperatorError(
      `the data directory ${path} cannot be used (${codeOf(error)}); set COUNTERSIGN_DATA_DIR to a directory that this user may write`,
    );
  }
  const real = realpathSync(path);
  if (isWithin(checkout, real)) {
    throw new OperatorError(`COUNTERSIGN_DATA_DIR: expected a directory that does not hold the program, got ${path}`);
  }
  return real;
}

/** Makes the folder and those above it. (`recursive` of mkdirSync never returns where the kernel refuses, as in /proc.) */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  if (dirname(path) !== path) makeFolder(dirname(path));
  // Where root cannot use namespaces, the uids of the processes must get through to their own folders.
  mkdirSync(path, { mode: process.getuid?.() === 0 ? 0o711 : 0o700 });
}

/** A folder of mode 0700 that belongs, with all in it, to `uid` (null: to the caller). */
export function ownFolder(path: string, uid: number | null): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  if (uid === null || statSync(path).uid === uid) return;
  // -h: a link is given away, never what it points to.
  const { status } = spawnSync('chown', ['-hR', `${uid}:${uid}`, path], { stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new OperatorError(`could not give ${path} to uid ${uid}`);
}

/** Replaces the file by rename, so that a crash leaves the old content or the new; mode 0600. */
export function replaceFile(path: string, content: string | Uint8Array, uid: number | null = null): void {
  const temporary = `${path}.${randomUUID()}.tmp`;
  writeFileSync(temporary, content, { mode: 0o600, flag: 'wx', flush: true });
  if (uid !== null) chownSync(temporary, uid, uid);
  renameDurably(temporary, path);
}

/** rename(2), durable when it returns. */
export function renameDurably(from: string, to: string): void {
  renameSync(from, to);
  syncFolder(dirname(to));
}

/** fsync(2) of a folder: which files it holds, and under which names, outlasts a power cut from here on. */
export function syncFolder(path: string): void {
  const folder = openSync(path, 'r');
  fsyncSync(folder);
  closeSync(folder);
}

/** The text of a file; undefined where there is none. */
export function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw new OperatorError(`${path} cannot be read (${codeOf(error)})`);
  }
}

/** The JSON object in a file that the caller wrote; undefined where there is none. */
export function readJsonIfThere<T>(path: string): T | undefined {
  const text = readIfThere(path);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as T;
  } catch {
    throw new OperatorError(`${path} is damaged: expected JSON; restore it from a backup`);
  }
}
