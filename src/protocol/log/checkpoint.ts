/** The text of a checkpoint (C2SP tlog-checkpoint), and the extension lines of Countersign's own. */
import { base64 } from '@scure/base';
import { NoteError } from './signed-note.ts';

export type Checkpoint = {
  /** The log's name. */
  readonly origin: string;
  /** Leaves. */
  readonly size: number;
  /** 32 bytes. */
  readonly root: Uint8Array;
  readonly extensions: readonly string[];
};

/** Throws a `NoteError`. */
export function parseCheckpoint(text: string): Checkpoint {
  const [origin = '', size = '', root = '', ...extensions] = text.replace(/\n$/, '').split('\n');
  if (!origin || !/^(?:0|[1-9]\d*)$/.test(size) || !Number.isSafeInteger(Number(size))) {
    throw new NoteError('a checkpoint has the name of the log and its size');
  }
  if (extensions.includes('')) throw new NoteError('a checkpoint has no empty line');
  return { origin, size: Number(size), root: decodeHash(root, 'root'), extensions };
}

/** What a checkpoint of Countersign binds beside the log. */
export type Bound = {
  /** Root of the map over the heads of all organizations. */
  readonly map: Uint8Array;
  readonly batch: number;
  /** Goes up when an operator had a restored state accepted. */
  readonly epoch: number;
  /** SHA-256 of the settings that decide. */
  readonly settings: Uint8Array;
  /** Boot id of the enclave that signed. */
  readonly enclave: Uint8Array;
};

/** Throws a `NoteError` where a line is missing. */
export function parseExtensions(lines: readonly string[]): Bound {
  const after = (word: string): string => {
    const found = lines.filter((line) => line.startsWith(`${word} `));
    if (found.length !== 1) throw new NoteError(`a checkpoint of Countersign has one line \`${word}\``);
    return (found[0] as string).slice(word.length + 1);
  };
  const [, batch, epoch] = /^(\d{1,15}) epoch (\d{1,15})$/.exec(after('batch')) ?? [];
  if (batch === undefined) throw new NoteError('a checkpoint of Countersign has a line `batch N epoch N`');
  const hash = (word: string) => decodeHash(after(word), word);
  return {
    map: hash('map'),
    batch: Number(batch),
    epoch: Number(epoch),
    settings: hash('settings'),
    enclave: hash('enclave'),
  };
}

function decodeHash(text: string, what: string): Uint8Array {
  try {
    const hash = base64.decode(text);
    if (hash.length === 32) return hash;
  } catch {
    // As below.
  }
  throw new NoteError(`the ${what} of a checkpoint is 32 bytes in base64`);
}
