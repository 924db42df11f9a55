/**
 * The root key as it is, in a file of mode 0600 in the enclave's own folder. It protects against whoever has the database, not
 * against whoever has the host: the operator is trusted (DESIGN §1).
 */
import { SealingError, type SealingProvider } from './provider.ts';

export const localFile: SealingProvider = {
  name: 'local-file',
  seal: async (rootKey) => ({ rootKey: Buffer.from(rootKey) }),
  async unseal({ rootKey }) {
    if (!(rootKey instanceof Uint8Array) || rootKey.length !== 32) {
      throw new SealingError('the sealing file holds no root key of 32 bytes; restore it from the backup');
    }
    const copy = Buffer.from(rootKey);
    rootKey.fill(0);
    return copy;
  },
};
