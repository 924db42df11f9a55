/**
 * The root key in a file of mode 0600 in the enclave's own folder. It protects against whoever has the database, not
 * against whoever has the host: the operator is trusted (DESIGN §1).
 */
import { closeSync, constants, existsSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { decode, encode } from '../../protocol/cbor.ts';
import { formatVersion } from '../contexts.ts';
import { SealingError, type SealingProvider } from './provider.ts';

export function localFileSealing(folder: string): SealingProvider {
  const path = join(folder, 'sealing');
  return {
    name: 'local-file',
    exists: () => existsSync(path),
    create(rootKey) {
      const { O_CREAT, O_EXCL, O_WRONLY, O_SYNC } = constants;
      const file = openSync(path, O_CREAT | O_EXCL | O_WRONLY | O_SYNC, 0o600);
      writeSync(file, encode({ v: formatVersion, provider: 'local-file', rootKey }));
      closeSync(file);
    },
    discard: () => rmSync(path, { force: true }),
    unseal() {
      const content = readSealed(path);
      if (content.v !== formatVersion || content.provider !== 'local-file') {
        throw new SealingError(
          `${path}: unknown format ${String(content.provider)}/${String(content.v)}, expected local-file/${formatVersion}`,
        );
      }
      if (!(content.rootKey instanceof Uint8Array) || content.rootKey.length !== 32) {
        throw new SealingError(`${path}: holds no root key of 32 bytes; restore it from the backup`);
      }
      return Buffer.from(content.rootKey);
    },
  };
}

function readSealed(path: string): { v?: unknown; provider?: unknown; rootKey?: unknown } {
  try {
    return (decode(readFileSync(path)) ?? {}) as object;
  } catch (error) {
    throw new SealingError(`${path} cannot be read (${(error as Error).message}); restore it from the backup`);
  }
}
