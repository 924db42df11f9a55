/** The root key of an installation with `local-file` sealing, as the host can read it. */
import { readSealing, sealingPath } from '../../src/enclave/sealing/sealing-file.ts';

export function rootKeyOf(folder: string): Buffer {
  const rootKey = readSealing(sealingPath(folder))?.sealed.rootKey;
  if (!(rootKey instanceof Uint8Array)) throw new Error(`${folder} holds no root key in a file`);
  return Buffer.from(rootKey);
}
