import { sha256 } from '@noble/hashes/sha2.js';
import { type CountersignError, invalidArgument } from '../protocol/errors.ts';
import { hashAuthorization } from './authorization.ts';
import type { Curve } from './curve.ts';
import { hexToBytes } from './hex.ts';
import { keccak256 } from './keccak.ts';
import { hashTypedData } from './typed-data.ts';

export type Payload = {
  readonly payload: string;
  /** `PAYLOAD_ENCODING_…`. */
  readonly encoding: string;
  /** `HASH_FUNCTION_…`. */
  readonly hashFunction: string;
  readonly curve: Curve;
};

/**
 * The bytes that a payload asks to be signed: a digest of 32 bytes for ECDSA, the message for Ed25519. Typed data and
 * authorizations bring their own hash, for which the hash function is `HASH_FUNCTION_NO_OP`. Throws INVALID_ARGUMENT
 * `invalid payload encoding`, `invalid hash function`, or what is wrong in the payload.
 */
export function bytesToSign({ payload, encoding, hashFunction, curve }: Payload): Buffer {
  if (payload === '') throw wrong('invalid payload encoding', 'payload', 'expected a payload, found an empty one');
  if ((curve === 'CURVE_ED25519') !== (hashFunction === 'HASH_FUNCTION_NOT_APPLICABLE')) {
    throw invalidHash('HASH_FUNCTION_NOT_APPLICABLE is for Ed25519, and Ed25519 takes no other');
  }
  switch (encoding) {
    case 'PAYLOAD_ENCODING_EIP712':
      checkEthereum(encoding, hashFunction, curve);
      return hashTypedData(payload);
    case 'PAYLOAD_ENCODING_EIP7702_AUTHORIZATION':
      checkEthereum(encoding, hashFunction, curve);
      return hashAuthorization(payload);
    default:
      return hash(payloadBytes(payload, encoding), hashFunction);
  }
}

/** The bytes that a payload is in an encoding that has no meaning of its own. Throws INVALID_ARGUMENT `invalid payload encoding`. */
export function payloadBytes(payload: string, encoding: string): Buffer {
  if (payload === '') throw wrong('invalid payload encoding', 'payload', 'expected a payload, found an empty one');
  switch (encoding) {
    case 'PAYLOAD_ENCODING_HEXADECIMAL': {
      const bytes = hexToBytes(payload);
      if (!bytes?.length) throw wrong('invalid payload encoding', 'payload', 'expected hex digits of whole bytes');
      return bytes;
    }
    case 'PAYLOAD_ENCODING_TEXT_UTF8':
      if (!payload.isWellFormed()) throw wrong('invalid payload encoding', 'payload', 'expected well-formed Unicode');
      return Buffer.from(payload);
    default:
      throw wrong('invalid payload encoding', 'encoding', 'unknown encoding');
  }
}

function hash(bytes: Buffer, hashFunction: string): Buffer {
  switch (hashFunction) {
    case 'HASH_FUNCTION_NOT_APPLICABLE':
      return bytes;
    case 'HASH_FUNCTION_NO_OP':
      if (bytes.length === 32) return bytes;
      throw invalidHash(`HASH_FUNCTION_NO_OP takes a digest of 32 bytes, found ${bytes.length}`);
    case 'HASH_FUNCTION_SHA256':
      return Buffer.from(sha256(bytes));
    case 'HASH_FUNCTION_KECCAK256':
      return keccak256(bytes);
    default:
      throw invalidHash('unknown hash function');
  }
}

/** Contracts check typed data with secp256k1 or, as passkey accounts do, with P-256. */
function checkEthereum(encoding: string, hashFunction: string, curve: Curve): void {
  if (curve === 'CURVE_ED25519') throw wrong('invalid payload encoding', 'encoding', `${encoding} is not for Ed25519`);
  if (hashFunction !== 'HASH_FUNCTION_NO_OP') throw invalidHash(`${encoding} takes HASH_FUNCTION_NO_OP`);
}

const invalidHash = (description: string) => wrong('invalid hash function', 'hashFunction', description);

const wrong = (message: string, field: string, description: string): CountersignError =>
  invalidArgument(message, { fields: [{ field: `parameters.${field}`, description }] });
