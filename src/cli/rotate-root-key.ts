/** Rotation of the root user's API key, so that a crash at any point is made good by running it again. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type ApiKeyPair, generateApiKey } from '../stamping/make-api-key-stamp.ts';
import { type ask, callerOf, type submit } from './client.ts';
import { readJsonIfThere, replaceFile } from './files.ts';
import { type Credentials, readRootFile, writeRootFile } from './root-file.ts';

/** `<data>/root-rotation.json`, mode 0600: there while a rotation is under way. */
type Rotation = { readonly previousPublicKey: string; readonly next: ApiKeyPair };

type ApiKeys = { apiKeys: { apiKeyId: string; credential: { publicKey: string } }[] };

/**
 * Adds a new key with the present one, writes it to root.json, and deletes the old one with the new. Returns the new
 * public key.
 */
export async function rotateRootKey(dataDir: string, query: typeof ask, act: typeof submit): Promise<string> {
  const file = join(dataDir, 'root-rotation.json');
  const present = readRootFile(dataDir);
  const rotation: Rotation = readJsonIfThere<Rotation>(file) ?? {
    previousPublicKey: present.apiPublicKey,
    next: generateApiKey(),
  };
  const { previousPublicKey, next } = rotation;
  replaceFile(file, `${JSON.stringify(rotation)}\n`);

  const { userId } = present;
  const idOf = async (by: Credentials, publicKey: string) => {
    const { apiKeys } = await query<ApiKeys>(callerOf(by), 'get_api_keys', { userId });
    return apiKeys.find(({ credential }) => credential.publicKey === publicKey)?.apiKeyId;
  };
  if (present.apiPublicKey === previousPublicKey) {
    if (!(await idOf(present, next.publicKey))) {
      const key = { apiKeyName: 'Root API key', publicKey: next.publicKey, curveType: 'API_KEY_CURVE_P256' };
      await act(callerOf(present), 'create_api_keys', 'ACTIVITY_TYPE_CREATE_API_KEYS_V2', { userId, apiKeys: [key] });
    }
    writeRootFile(dataDir, { ...present, apiPublicKey: next.publicKey, apiPrivateKey: next.privateKey });
  }
  const renewed = { ...present, apiPublicKey: next.publicKey, apiPrivateKey: next.privateKey };
  const old = await idOf(renewed, previousPublicKey);
  if (old)
    await act(callerOf(renewed), 'delete_api_keys', 'ACTIVITY_TYPE_DELETE_API_KEYS', { userId, apiKeyIds: [old] });
  rmSync(file);
  return next.publicKey;
}
