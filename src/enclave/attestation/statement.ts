/**
 * The boot statement: what an enclave says of itself at a start, with keys that it made there and that never leave its memory.
 * A platform's evidence binds its digest, the boot id; so does every checkpoint, and the boot key signs the log's roots.
 */
import { createECDH, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { encode } from '../../protocol/cbor.ts';
import { formatVersion } from '../contexts.ts';
import { sha256 } from '../ledger/hash.ts';

/** What is in force, beside the keys. */
export type BootFacts = {
  /** SHA-384 of the manifest of the enclave's sources. */
  readonly measurement: Uint8Array;
  readonly version: string;
  readonly sealing: string;
  readonly anchor: string;
  readonly isolation: string;
  /** Digest of the settings that decide. */
  readonly settings: Uint8Array;
  /** Unix ms. */
  readonly time: number;
};

export type BootIdentity = {
  /** SHA-256 of the statement. */
  readonly id: Buffer;
  /** CBOR of the facts, `bootKey` (Ed25519, 32 bytes) and `encryptionKey` (P-256, 65 bytes). */
  readonly statement: Buffer;
  /** Ed25519 by the boot key. */
  sign(message: Uint8Array): Buffer;
  readonly encryptionKey: Buffer;
  /** The shared secret of `encryptionKey` with another point (ECDH, 32 bytes). */
  agree(publicKey: Uint8Array): Buffer;
};

export function createBootIdentity(facts: BootFacts): BootIdentity {
  const { privateKey } = generateKeyPairSync('ed25519');
  const bootKey = createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(-32);
  const encryption = createECDH('prime256v1');
  const encryptionKey = encryption.generateKeys();
  const statement = encode({ v: formatVersion, ...facts, bootKey, encryptionKey });
  return {
    id: sha256(statement),
    statement,
    encryptionKey,
    sign: (message) => sign(null, message, privateKey),
    agree: (publicKey) => encryption.computeSecret(publicKey),
  };
}
