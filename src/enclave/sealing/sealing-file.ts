/** The files in the enclave's own folder that hold the sealed root key: CBOR of a version, the provider's name and its record. */
import { closeSync, constants, existsSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { decode, encode } from '../../protocol/cbor.ts';
import { type SealingName, sealingNames } from '../../protocol/sealing-names.ts';
import { formatVersion } from '../contexts.ts';
import { type SealedRoot, SealingError } from './provider.ts';

export type SealingFile = { readonly provider: SealingName; readonly sealed: SealedRoot };

/** The root key as it is sealed now. */
export const sealingPath = (folder: string): string => join(folder, 'sealing');
/** What is to take its place, once an enclave has started with it; `sealing` stays until then. */
export const nextSealingPath = (folder: string): string => join(folder, 'sealing.next');

/** The file at `path`; null without one. Throws a `SealingError` for anything that this version cannot read. */
export function readSealing(path: string): SealingFile | null {
  if (!existsSync(path)) return null;
  const { v, provider, ...sealed } = decodeFile(path);
  const name = sealingNames.find((known) => known === provider);
  if (v !== formatVersion || !name) {
    const found = `${String(provider)}/${String(v)}`;
    throw new SealingError(
      `${path}: unknown format ${found}, expected version ${formatVersion} of ${sealingNames.join(', ')}; run the release that wrote it, or restore the backup`,
    );
  }
  return { provider: name, sealed: sealed as SealedRoot };
}

function decodeFile(path: string): { v?: unknown; provider?: unknown } {
  try {
    return (decode(readFileSync(path)) ?? {}) as object;
  } catch (error) {
    throw new SealingError(`${path} cannot be read (${(error as Error).message}); restore it from the backup`);
  }
}

/** Writes the first sealing file of an installation; throws where there is one. */
export const createSealing = (folder: string, file: SealingFile): void =>
  write(sealingPath(folder), constants.O_EXCL, file);

/** Writes what is to take the place of the sealing file; whole or not at all. */
export function writeNextSealing(folder: string, file: SealingFile): void {
  const path = nextSealingPath(folder);
  write(`${path}.tmp`, constants.O_TRUNC, file);
  renameSync(`${path}.tmp`, path);
}

/** Puts the next sealing file in place. A key that lay there in clear is overwritten first, as far as the disk does that. */
export function promoteNextSealing(folder: string): void {
  const path = sealingPath(folder);
  if (readSealing(path)?.provider === 'local-file') {
    const file = openSync(path, constants.O_WRONLY | constants.O_SYNC);
    writeSync(file, Buffer.alloc(readFileSync(path).length));
    closeSync(file);
  }
  renameSync(nextSealingPath(folder), path);
}

export const discardSealing = (folder: string): void => rmSync(sealingPath(folder), { force: true });

function write(path: string, flag: number, { provider, sealed }: SealingFile): void {
  const content = encode({ v: formatVersion, provider, ...sealed });
  const { O_CREAT, O_WRONLY, O_SYNC } = constants;
  const file = openSync(path, O_CREAT | flag | O_WRONLY | O_SYNC, 0o600);
  try {
    if (writeSync(file, content) !== content.length) throw new SealingError(`${path} cannot be written in one piece`);
  } finally {
    closeSync(file);
    content.fill(0);
  }
}
