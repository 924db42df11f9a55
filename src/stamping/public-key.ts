import { createPublicKey, type KeyObject } from 'node:crypto';

/** SubjectPublicKeyInfo (RFC 5480, RFC 8410) up to the key itself. */
const prefixes = {
  p256Compressed: Buffer.from('3039301306072a8648ce3d020106082a8648ce3d030107032200', 'hex'),
  p256Uncompressed: Buffer.from('3059301306072a8648ce3d020106082a8648ce3d030107034200', 'hex'),
  ed25519: Buffer.from('302a300506032b6570032100', 'hex'),
};

/** The P-256 key of a SEC 1 point, compressed (33 bytes) or not (65 bytes). Throws when it is not on the curve. */
export function p256PublicKey(point: Uint8Array): KeyObject {
  return importSpki(point.length === 33 ? prefixes.p256Compressed : prefixes.p256Uncompressed, point);
}

/** The Ed25519 key of 32 bytes. OpenSSL takes any; see `isEd25519PublicKey`. */
export function ed25519PublicKey(bytes: Uint8Array): KeyObject {
  return importSpki(prefixes.ed25519, bytes);
}

function importSpki(prefix: Buffer, key: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.concat([prefix, key]), format: 'der', type: 'spki' });
}
