/**
 * What a witness remembers, in a folder of its own: `witness.json` with its name, its key and the logs that it has ever cosigned,
 * and for each log a folder with the newest checkpoint. A log that was cosigned and whose checkpoint is gone is never
 * taken for a new one: a witness that forgets would cosign a fork.
 */
import { createHash, createPrivateKey, generateKeyPairSync } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { parseCheckpoint } from '../protocol/log/checkpoint.ts';
import { parseNote } from '../protocol/log/signed-note.ts';
import type { Seen } from './add-checkpoint.ts';
import { type WitnessKey, witnessKey } from './key.ts';

export type WitnessStore = {
  readonly key: WitnessKey;
  /** The newest checkpoint of a log; undefined before the first. */
  seen(origin: string): Seen | undefined;
  /** Durable when it returns. */
  keep(origin: string, note: string, seen: Seen): void;
  /** The newest checkpoint as it was cosigned, by the digest of the log's origin in hex. */
  newest(digest: string): string | undefined;
};

/** What is wrong with the folder, for whoever runs the witness. */
export class WitnessStoreError extends Error {
  override name = 'WitnessStoreError';
}

type Identity = { version: 1; name: string; privateKey: string; cosigned: string[] };

export const digestOf = (origin: string): string => createHash('sha256').update(origin).digest('hex');

/** Opens the folder, or makes it. `origins`: the logs that are to be witnessed now. */
export function openWitnessStore(folder: string, name: string, origins: readonly string[]): WitnessStore {
  const file = join(folder, 'witness.json');
  let identity = existsSync(file) ? readIdentity(file) : createIdentity(file, name);
  if (identity.name !== name) {
    throw new WitnessStoreError(
      `${file} is of the witness ${identity.name}; its key must not be used under another name`,
    );
  }
  const checkpointFile = (digest: string) => join(folder, digest, 'checkpoint');
  const read = (digest: string): string | undefined => {
    const path = checkpointFile(digest);
    return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
  };
  const seenBy = new Map<string, Seen>();
  for (const origin of origins) {
    const note = read(digestOf(origin));
    if (note === undefined && identity.cosigned.includes(origin)) {
      throw new WitnessStoreError(
        `${checkpointFile(digestOf(origin))} is gone, and ${origin} was cosigned before: restore it, or, once the log's operator has said why the log begins anew, run with --enrol-anew ${origin}`,
      );
    }
    if (note !== undefined) seenBy.set(origin, readSeen(note, checkpointFile(digestOf(origin))));
  }
  return {
    key: witnessKey(name, createPrivateKey(identity.privateKey)),
    seen: (origin) => seenBy.get(origin),
    keep(origin, note, seen) {
      // Before anything can fail: what may be in the folder by then is public, and must not be followed by another one.
      seenBy.set(origin, seen);
      const path = checkpointFile(digestOf(origin));
      if (!identity.cosigned.includes(origin)) {
        mkdirSync(dirname(path), { recursive: true });
        syncFolder(folder);
        replace(path, note);
        identity = { ...identity, cosigned: [...identity.cosigned, origin] };
        replace(file, `${JSON.stringify(identity, null, 2)}\n`);
      } else replace(path, note);
    },
    newest: read,
  };
}

/** Forgets a log, so that it is cosigned from its next checkpoint on, whatever that is. The old one stays beside it, as evidence. */
export function enrolAnew(folder: string, origin: string): void {
  const file = join(folder, 'witness.json');
  if (!existsSync(file)) throw new WitnessStoreError(`${folder} is not the folder of a witness`);
  const identity = readIdentity(file);
  if (!identity.cosigned.includes(origin)) throw new WitnessStoreError(`${origin} was never cosigned here`);
  const path = join(folder, digestOf(origin), 'checkpoint');
  if (existsSync(path)) renameSync(path, `${path}.until-${Date.now()}`);
  replace(
    file,
    `${JSON.stringify({ ...identity, cosigned: identity.cosigned.filter((each) => each !== origin) }, null, 2)}\n`,
  );
}

function readSeen(note: string, path: string): Seen {
  try {
    return parseCheckpoint(parseNote(note).text);
  } catch (error) {
    throw new WitnessStoreError(`${path} is damaged (${(error as Error).message}); restore it`);
  }
}

function readIdentity(file: string): Identity {
  let identity: Identity;
  try {
    identity = JSON.parse(readFileSync(file, 'utf8')) as Identity;
  } catch (error) {
    throw new WitnessStoreError(`${file} cannot be read (${(error as Error).message}); restore it`);
  }
  if (identity.version !== 1) throw new WitnessStoreError(`${file} is of another version of this program`);
  return identity;
}

function createIdentity(file: string, name: string): Identity {
  const { privateKey } = generateKeyPairSync('ed25519');
  const pem = privateKey.export({ format: 'pem', type: 'pkcs8' }) as string;
  const identity: Identity = { version: 1, name, privateKey: pem, cosigned: [] };
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  replace(file, `${JSON.stringify(identity, null, 2)}\n`);
  return identity;
}

/** The old content or the new, whatever happens; the new one is durable when it returns. */
function replace(path: string, content: string): void {
  writeFileSync(`${path}.new`, content, { mode: 0o600, flush: true });
  renameSync(`${path}.new`, path);
  syncFolder(dirname(path));
}

function syncFolder(path: string): void {
  const descriptor = openSync(path, 'r');
  fsyncSync(descriptor);
  closeSync(descriptor);
}
