/** What the skeleton knows of its users: passkeys, and their keys sealed under one AES key. */
import { createCipheriv, createDecipheriv, type KeyObject, randomBytes } from 'node:crypto';

/** As it stands in the file that is handed to the signer; binary members are base64. */
export type SkeletonUser = { organizationId: string; credentialId: string; publicKey: string; sealedKey: string };
export type SkeletonKeys = { sealingKey: string; users: SkeletonUser[] };

/** AES-256-GCM: nonce(12) ‖ tag(16) ‖ ciphertext, bound to the organization's id. */
export function seal(sealingKey: KeyObject, organizationId: string, secret: Buffer): Buffer {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', sealingKey, nonce).setAAD(Buffer.from(organizationId));
  const ciphertext = Buffer.concat([cipher.update(secret), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), ciphertext]);
}

export function open(sealingKey: KeyObject, organizationId: string, sealed: Buffer): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', sealingKey, sealed.subarray(0, 12));
  decipher.setAAD(Buffer.from(organizationId)).setAuthTag(sealed.subarray(12, 28));
  const secret = decipher.update(sealed.subarray(28));
  decipher.final();
  return secret;
}
