/** What a monitor keeps of a log between two runs: the last checkpoint that it found right, and where the log goes on. */

import { readJsonIfThere, replaceFile } from '../files.ts';
import { OperatorError } from '../operator-error.ts';
import type { Subtrees } from './subtrees.ts';

export type Kept = {
  /** Verifier key of the log. */
  readonly logKey: string;
  /** The signed checkpoint. */
  readonly checkpoint: string;
  /** Of all its leaves. */
  readonly subtrees: Subtrees;
};

type File = Omit<Kept, 'subtrees'> & {
  readonly subtrees: readonly { readonly level: number; readonly root: string }[];
};

/** Undefined where there is no such file. Throws `OperatorError`. */
export function readKept(path: string): Kept | undefined {
  const file = readJsonIfThere<File>(path);
  if (!file) return undefined;
  const { logKey, checkpoint, subtrees } = file;
  if (typeof logKey !== 'string' || typeof checkpoint !== 'string' || !Array.isArray(subtrees)) {
    throw new OperatorError(`${path} is not the state of a monitor`);
  }
  return {
    logKey,
    checkpoint,
    subtrees: subtrees.map(({ level, root }) => ({ level, root: Buffer.from(root, 'base64') })),
  };
}

/** Durable when it returns. */
export function keep(path: string, { logKey, checkpoint, subtrees }: Kept): void {
  const file: File = {
    logKey,
    checkpoint,
    subtrees: subtrees.map(({ level, root }) => ({ level, root: Buffer.from(root).toString('base64') })),
  };
  replaceFile(path, `${JSON.stringify(file, null, 2)}\n`);
}
