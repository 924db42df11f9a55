/**
 * The root key wrapped under a data key that AWS KMS gives out only to an enclave with the measurements that its key policy
 * names (`kms:RecipientAttestation:ImageSha384` and the like). That the data key opens the wrapped root key proves it: the envelope that it
 * comes in is not authenticated.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decryptDataKey, generateDataKey, type Kms, KmsError } from '../nitro/kms.ts';
import { NsmError } from '../nitro/nsm.ts';
import type { AwsCredentials } from '../nitro/sign-request.ts';
import { SealingError, type SealingProvider } from './provider.ts';
import { unwrapRootKey, wrapRootKey } from './wrap.ts';

export type NitroPlaces = {
  readonly folder: string;
  readonly nsmSocket?: string | undefined;
  readonly kms?: { readonly key: string; readonly socket: string } | undefined;
};

const place = ['nitro-kms'];

export function nitroKms(places: NitroPlaces, authorities?: string): SealingProvider {
  const kms = () => ({ ...kmsOf(places), ...(authorities && { authorities }) });
  return {
    name: 'nitro-kms',
    async seal(rootKey) {
      const { key, ciphertext } = await explained(generateDataKey(kms()));
      const wrapped = wrapRootKey(rootKey, key, place);
      key.fill(0);
      return { ciphertext, wrapped };
    },
    async unseal({ ciphertext, wrapped }) {
      if (!(ciphertext instanceof Uint8Array) || ciphertext.length === 0) {
        throw new SealingError('the sealing file names no data key of KMS; restore it from the backup');
      }
      const key = await explained(decryptDataKey(kms(), ciphertext));
      const rootKey = unwrapRootKey(wrapped, key, place);
      key.fill(0);
      if (rootKey) return rootKey;
      throw new SealingError(
        'the data key that KMS gave does not open the root key: the answer or the sealing file was altered; restore it from the backup',
      );
    },
  };
}

function kmsOf({ folder, nsmSocket, kms }: NitroPlaces): Kms {
  if (!nsmSocket)
    throw new SealingError('COUNTERSIGN_NSM_SOCKET: expected the socket of the bridge to /dev/nsm, got nothing');
  if (!kms)
    throw new SealingError('COUNTERSIGN_KMS_KEY and COUNTERSIGN_KMS_SOCKET: expected a key and a proxy, got nothing');
  return { ...kms, nsm: nsmSocket, credentials: readCredentials(join(folder, 'aws-credentials.json')) };
}

/** Read at each use, for whoever puts them there renews them. */
function readCredentials(path: string): AwsCredentials {
  const explain = (what: string) =>
    new SealingError(
      `${path} ${what}: expected {"accessKeyId", "secretAccessKey", "sessionToken"} of a role that may use the KMS key`,
    );
  let content: Record<string, unknown>;
  try {
    content = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw explain(`cannot be read (${(error as NodeJS.ErrnoException).code ?? 'no JSON'})`);
  }
  const { accessKeyId, secretAccessKey, sessionToken } = content ?? {};
  if (typeof accessKeyId !== 'string' || typeof secretAccessKey !== 'string') throw explain('lacks a part');
  return { accessKeyId, secretAccessKey, ...(typeof sessionToken === 'string' && { sessionToken }) };
}

/** With what an operator can do about it. */
async function explained<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof NsmError) {
      throw new SealingError(
        `${error.message}; check that this is a Nitro enclave and that the bridge runs (COUNTERSIGN_NSM_SOCKET)`,
      );
    }
    if (!(error instanceof KmsError)) throw error;
    const isDenied = /AccessDenied/.test(error.message);
    const advice = isDenied
      ? 'check that the key policy names the measurement of this image (kms:RecipientAttestation:ImageSha384) and lets the role use the key'
      : 'check the proxy (COUNTERSIGN_KMS_SOCKET), the key (COUNTERSIGN_KMS_KEY) and aws-credentials.json';
    throw new SealingError(`${error.message}; ${advice}`);
  }
}
