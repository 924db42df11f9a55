/**
 * What KMS encrypts to an attested enclave (`CiphertextForRecipient`): CMS EnvelopedData (RFC 5652 §6) for one RSA key, by
 * RSAES-OAEP with SHA-256 (RFC 4055) and AES-256-CBC. Nothing in it proves who made it or that it is whole: what was in it must prove
 * itself, as a key does that opens what it should.
 */
import { constants, createDecipheriv, type KeyObject, privateDecrypt } from 'node:crypto';
import { type Asn1, BerError, decodeBer } from './ber.ts';

export class EnvelopeError extends Error {
  override name = 'EnvelopeError';
}

const oids = {
  envelopedData: '2a864886f70d010703',
  data: '2a864886f70d010701',
  oaep: '2a864886f70d010107',
  aes256Cbc: '60864801650304012a',
} as const;

const tags = { integer: 0x02, octets: 0x04, oid: 0x06, sequence: 0x10, set: 0x11, context0: 0x80 } as const;

/** The content, in a Buffer of its own. Throws an `EnvelopeError` that says nothing of it. */
export function openEnvelope(bytes: Uint8Array, privateKey: KeyObject): Buffer {
  const { encryptedKey, iv, ciphertext } = parse(bytes);
  let key: Buffer | undefined;
  try {
    const padding = constants.RSA_PKCS1_OAEP_PADDING;
    key = privateDecrypt({ key: privateKey, padding, oaepHash: 'sha256' }, encryptedKey);
    const decipher = createDecipheriv('aes-256-cbc', key, iv);
    return Buffer.concat([decipher.update(ciphertext), decipher.final()]);
  } catch {
    // One error for all, so that it tells nothing about padding.
    throw new EnvelopeError('the envelope is not for this enclave, or was altered');
  } finally {
    key?.fill(0);
  }
}

function parse(bytes: Uint8Array): { encryptedKey: Buffer; iv: Buffer; ciphertext: Buffer } {
  try {
    const [type, wrapper] = children(decodeBer(bytes), tags.sequence, 2);
    requireOid(type, oids.envelopedData);
    const [enveloped] = children(wrapper, tags.context0, 1);
    const [, recipients, content] = children(enveloped, tags.sequence, 3);
    const [recipient] = children(recipients, tags.set, 1);
    const [, , keyAlgorithm, encryptedKey] = children(recipient, tags.sequence, 4);
    requireOid(children(keyAlgorithm, tags.sequence)[0], oids.oaep);
    const [contentType, contentAlgorithm, encrypted] = children(content, tags.sequence, 3);
    requireOid(contentType, oids.data);
    const [cipher, iv] = children(contentAlgorithm, tags.sequence, 2);
    requireOid(cipher, oids.aes256Cbc);
    return {
      encryptedKey: octetsOf(encryptedKey, tags.octets),
      iv: octetsOf(iv, tags.octets),
      ciphertext: octetsOf(encrypted, tags.context0),
    };
  } catch (error) {
    if (!(error instanceof BerError)) throw error;
    throw new EnvelopeError(`the envelope cannot be read: ${error.message}`);
  }
}

/** Of an element that must have this tag and, where given, so many of them. */
function children(element: Asn1 | undefined, tag: number, count?: number): readonly Asn1[] {
  const found = element?.tag === tag ? element.children : undefined;
  if (found && (count === undefined || found.length === count)) return found;
  throw new BerError(`it is no EnvelopedData for one recipient (expected tag ${tag})`);
}

function requireOid(element: Asn1 | undefined, oid: string): void {
  const found = element?.tag === tags.oid ? element.content.toString('hex') : 'nothing';
  if (found !== oid) throw new BerError(`expected the object identifier ${oid}, got ${found}`);
}

/** An octet string, in one piece or in pieces. */
function octetsOf(element: Asn1 | undefined, tag: number): Buffer {
  if (element?.tag !== tag) throw new BerError(`expected an octet string (tag ${tag})`);
  if (!element.children) return element.content;
  return Buffer.concat(element.children.map((piece) => octetsOf(piece, tags.octets)));
}
