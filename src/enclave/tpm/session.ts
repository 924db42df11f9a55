/**
 * Authorization sessions of TPM 2.0 (Library, Part 1 §17-21): what proves an authorization value without showing it, and
 * hides the first parameter, on a socket that others may read.
 */
import { createCipheriv, createDecipheriv, createECDH, createHmac, randomBytes } from 'node:crypto';
import { sha256 } from '../ledger/hash.ts';
import type { Entity } from './client.ts';
import { handles, sessionAttributes } from './constants.ts';
import { sized, u8, u32 } from './wire.ts';

/** A session that the TPM keeps. Its nonces roll with each command, so it is used by one command at a time. */
export type Session = {
  readonly handle: number;
  /** Empty where the session was neither salted nor bound. */
  readonly key: Buffer;
  /** A policy session authorizes by what was asserted in it, not by the entity's authorization value. */
  readonly isPolicy: boolean;
  nonceTpm: Buffer;
};

/** Authorization by showing the value itself: for values that are no secret, like an empty one. */
export const passwordSession: Session = {
  handle: handles.password,
  key: Buffer.alloc(0),
  isPolicy: false,
  nonceTpm: Buffer.alloc(0),
};

/** The part of one command's authorization that its response is checked with. */
export type Proof = {
  readonly session: Session;
  readonly nonceCaller: Buffer;
  readonly auth: Buffer;
  readonly flags: number;
};

export const nonceSize = 32;

/** `session`, for one command on the entity that it authorizes (undefined: it only encrypts). */
export function openProof(session: Session, entity: Entity | undefined, flags: number): Proof {
  const nonceCaller = session === passwordSession ? Buffer.alloc(0) : randomBytes(nonceSize);
  return { session, nonceCaller, auth: trimmed(entity?.auth), flags: flags | sessionAttributes.continueSession };
}

/** TPMS_AUTH_COMMAND. */
export function encodeProof(proof: Proof, parameterHash: Buffer): Buffer {
  const { session, nonceCaller, auth, flags } = proof;
  if (session === passwordSession) return Buffer.concat([u32(session.handle), sized(nonceCaller), u8(0), sized(auth)]);
  const mac = macOf(proof, parameterHash, nonceCaller, session.nonceTpm, flags);
  return Buffer.concat([u32(session.handle), sized(nonceCaller), u8(flags), sized(mac)]);
}

/** HMAC of Part 1 §17.6.5; empty for a policy session without a key. */
export function macOf(proof: Proof, parameterHash: Buffer, newer: Buffer, older: Buffer, flags: number): Buffer {
  const { session, auth } = proof;
  const key = session.isPolicy ? session.key : Buffer.concat([session.key, auth]);
  if (session.isPolicy && key.length === 0) return key;
  return createHmac('sha256', key)
    .update(Buffer.concat([parameterHash, newer, older, u8(flags)]))
    .digest();
}

/** The first parameter, a TPM2B, hidden by AES-128-CFB (Part 1 §19.3). */
export function encryptParameter({ session, nonceCaller, auth }: Proof, parameters: Buffer): Buffer {
  const { key, iv } = cipherKey(session, auth, nonceCaller, session.nonceTpm);
  const end = 2 + parameters.readUInt16BE(0);
  const cipher = createCipheriv('aes-128-cfb', key, iv);
  return Buffer.concat([
    parameters.subarray(0, 2),
    cipher.update(parameters.subarray(2, end)),
    parameters.subarray(end),
  ]);
}

/** The reverse, for a response; `session.nonceTpm` is the response's already. */
export function decryptParameter({ session, nonceCaller, auth }: Proof, parameters: Buffer): Buffer {
  const { key, iv } = cipherKey(session, auth, session.nonceTpm, nonceCaller);
  const end = 2 + parameters.readUInt16BE(0);
  const cipher = createDecipheriv('aes-128-cfb', key, iv);
  return Buffer.concat([
    parameters.subarray(0, 2),
    cipher.update(parameters.subarray(2, end)),
    parameters.subarray(end),
  ]);
}

function cipherKey(session: Session, auth: Buffer, newer: Buffer, older: Buffer): { key: Buffer; iv: Buffer } {
  const bits = kdfa(Buffer.concat([session.key, auth]), 'CFB', newer, older, 256);
  return { key: bits.subarray(0, 16), iv: bits.subarray(16, 32) };
}

/** A fresh salt for the holder of a P-256 storage key `x ‖ y`: the salt, and the point that tells the TPM (Part 1 Annex C.6.1). */
export function makeSalt(publicKey: Uint8Array): { salt: Buffer; encrypted: Buffer } {
  const ephemeral = createECDH('prime256v1');
  const own = ephemeral.generateKeys().subarray(1);
  const shared = ephemeral.computeSecret(Buffer.concat([Buffer.of(4), publicKey]));
  const ownX = own.subarray(0, 32);
  // KDFe for 256 bits is one block.
  const salt = sha256(Buffer.concat([u32(1), shared, Buffer.from('SECRET\0'), ownX, publicKey.subarray(0, 32)]));
  return { salt, encrypted: Buffer.concat([sized(ownX), sized(own.subarray(32))]) };
}

/** KDFa with HMAC-SHA-256 (Part 1 §11.4.10.2), for at most 256 bits. */
export const kdfa = (key: Buffer, label: string, contextU: Buffer, contextV: Buffer, bits: number): Buffer =>
  createHmac('sha256', key)
    .update(Buffer.concat([u32(1), Buffer.from(`${label}\0`), contextU, contextV, u32(bits)]))
    .digest();

/** The TPM drops the zeros at the end of an authorization value. */
function trimmed(auth: Uint8Array | undefined): Buffer {
  const bytes = Buffer.from(auth ?? []);
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  return bytes.subarray(0, end);
}
