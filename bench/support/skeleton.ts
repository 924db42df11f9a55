/** Starts the skeleton with keys for the same users as the service's. */
import { createSecretKey, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { addressOf } from '../../src/decode/address.ts';
import { generateSecret, publicKeyOf } from '../../src/enclave/keys/curve.ts';
import { type SkeletonKeys, seal } from '../skeleton/keys.ts';
import type { Defer } from './clean-up.ts';
import type { Passkey } from './load.ts';
import { start, stop } from './processes.ts';

export type Skeleton = { readonly port: number; readonly pid: number };
export type SkeletonUser = { organizationId: string; passkey: Passkey };

/** Makes a key for each user, writes them to `folder`; returns their Ethereum addresses. */
export function writeSkeletonKeys(folder: string, users: readonly SkeletonUser[]): string[] {
  const sealingKey = createSecretKey(randomBytes(32));
  const keys: SkeletonKeys = { sealingKey: sealingKey.export().toString('base64'), users: [] };
  const addresses: string[] = [];
  for (const { organizationId, passkey } of users) {
    const secret = generateSecret('CURVE_SECP256K1', randomBytes);
    addresses.push(addressOf('ADDRESS_FORMAT_ETHEREUM', 'CURVE_SECP256K1', publicKeyOf('CURVE_SECP256K1', secret)));
    keys.users.push({
      organizationId,
      credentialId: passkey.credentialId,
      publicKey: Buffer.from(passkey.publicKey).toString('base64'),
      sealedKey: seal(sealingKey, organizationId, secret).toString('base64'),
    });
  }
  writeFileSync(keysFile(folder), JSON.stringify(keys), { mode: 0o600 });
  return addresses;
}

export async function startSkeleton(defer: Defer, folder: string, databaseUrl: string): Promise<Skeleton> {
  const main = fileURLToPath(new URL('../skeleton/main.ts', import.meta.url));
  const child = start([process.execPath, main, keysFile(folder), databaseUrl], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_ENV: 'production' },
  });
  defer(() => stop(child));
  const said = once(child.stdout as Readable, 'data').then(([line]) => JSON.parse(String(line)) as { port: number });
  const ended = once(child, 'exit').then(() => {
    throw new Error('the skeleton ended before it listened');
  });
  const { port } = await Promise.race([said, ended]);
  return { port, pid: child.pid as number };
}

const keysFile = (folder: string) => join(folder, 'skeleton-keys.json');
