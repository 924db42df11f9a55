/**
 * The root key wrapped under a key that dstack's key service gives to this application and to no other. The service gives
 * the same key to each version of the application that it was told to trust, so this says which code opens it, and nothing about
 * which state is the newest.
 */
import { randomBytes } from 'node:crypto';
import { DstackError, getKey } from '../dstack/agent.ts';
import { SealingError, type SealingProvider } from './provider.ts';
import { unwrapRootKey, wrapRootKey } from './wrap.ts';

const placeOf = (path: string) => ['dstack', path];

export function dstack(socket: string | undefined): SealingProvider {
  return {
    name: 'dstack',
    async seal(rootKey) {
      // The algorithm and the purpose do not change the key, only its path does.
      const path = `countersign/root/${randomBytes(16).toString('hex')}`;
      const secret = await keyAt(socket, path);
      const wrapped = wrapRootKey(rootKey, secret, placeOf(path));
      secret.fill(0);
      return { path, wrapped };
    },
    async unseal({ path, wrapped }) {
      if (typeof path !== 'string')
        throw new SealingError('the sealing file names no dstack key; restore it from the backup');
      const secret = await keyAt(socket, path);
      const rootKey = unwrapRootKey(wrapped, secret, placeOf(path));
      secret.fill(0);
      if (rootKey) return rootKey;
      throw new SealingError(
        'the key that dstack gives to this application does not open the root key: it was sealed for another application (another app id), or the file was altered. Start it as the application that sealed it, or `countersign seal move --to dstack --from-backup <file>`',
      );
    },
  };
}

async function keyAt(socket: string | undefined, path: string): Promise<Buffer> {
  if (!socket)
    throw new SealingError("COUNTERSIGN_DSTACK_SOCKET: expected the path of the dstack agent's socket, got nothing");
  try {
    return await getKey(socket, path);
  } catch (error) {
    if (!(error instanceof DstackError)) throw error;
    throw new SealingError(
      `${error.message}; check that the service runs in a dstack VM and COUNTERSIGN_DSTACK_SOCKET`,
    );
  }
}
