/** COSE receipts (RFC 9942): the proof that a log holds an entry, signed over the log's root, which is not part of it. */
import { encodeBytes } from '../../../src/protocol/cbor-bytes.ts';
import { cose } from '../../../src/protocol/receipt.ts';
import { decodeCbor, type Item } from '../attestation/cbor.ts';
import { ReceiptError } from './read-receipt.ts';

export type CoseReceipt = {
  /** Key id: the boot id of who signed. */
  readonly kid: Uint8Array;
  /** Whose root it is: the verifier key of the log. */
  readonly issuer: string;
  readonly size: number;
  readonly index: number;
  /** Audit path, the leaf's sibling first. */
  readonly path: readonly Uint8Array[];
  readonly signature: Uint8Array;
  /** What is signed when the log has this root (RFC 9052 §4.4). */
  readonly messageOver: (root: Uint8Array) => Uint8Array;
};

const sign1 = 0xd2;

/** Reads a receipt of inclusion, signed with Ed25519, with nothing in it that is not looked at. Throws a `ReceiptError`. */
export function readCoseReceipt(bytes: Uint8Array): CoseReceipt {
  const { fields, unprotected, payload, messageOver, ...signed } = readSign1(bytes, 4);
  if (payload !== null) throw malformed('no payload: the root follows from the proof');
  if (fields.get(cose.vds) !== cose.rfc9162Sha256) throw malformed('a tree of RFC 9162 with SHA-256');
  const proofs = asMap(asMap(unprotected, 1).get(cose.vdp), 1).get(cose.inclusionProof);
  const proof = Array.isArray(proofs) && proofs.length === 1 ? proofs[0] : undefined;
  if (!(proof instanceof Uint8Array)) throw malformed('one proof of inclusion');
  return { ...signed, ...readProof(decode(proof)), messageOver };
}

/** What a boot key signed, with what it signed. Throws a `ReceiptError`. */
export function readCosePayload(
  bytes: Uint8Array,
): Pick<CoseReceipt, 'kid' | 'issuer' | 'signature'> & { readonly payload: Uint8Array; readonly message: Uint8Array } {
  const { kid, issuer, signature, unprotected, payload, messageOver } = readSign1(bytes, 3);
  asMap(unprotected, 0);
  if (!(payload instanceof Uint8Array)) throw malformed('a payload');
  return { kid, issuer, signature, payload, message: messageOver(payload) };
}

function readSign1(bytes: Uint8Array, headerSize: number) {
  if (bytes[0] !== sign1) throw malformed('COSE_Sign1 (tag 18)');
  const parts = decode(bytes.subarray(1));
  if (!Array.isArray(parts) || parts.length !== 4) throw malformed('an array of four');
  const [header, unprotected, payload, signature] = parts;
  if (!(header instanceof Uint8Array) || !(signature instanceof Uint8Array)) throw malformed('header and signature');
  const fields = asMap(decode(header), headerSize);
  const issuer = asMap(fields.get(cose.claims), 1).get(cose.issuer);
  const kid = fields.get(cose.kid);
  if (fields.get(cose.alg) !== cose.eddsa) throw malformed('EdDSA');
  if (!(kid instanceof Uint8Array) || kid.length !== 32) throw malformed('a key id of 32 bytes');
  if (typeof issuer !== 'string') throw malformed('the log as issuer');
  const messageOver = (over: Uint8Array): Uint8Array => toBeSigned(header, over);
  return { fields, kid, issuer, unprotected, payload, signature, messageOver };
}

function readProof(item: Item): Pick<CoseReceipt, 'size' | 'index' | 'path'> {
  const [size, index, path, ...more] = Array.isArray(item) ? item : [];
  if (typeof size !== 'number' || typeof index !== 'number' || !Array.isArray(path) || more.length > 0) {
    throw malformed('a proof of size, index and path');
  }
  const hashes = path.filter((hash) => hash instanceof Uint8Array && hash.length === 32) as Uint8Array[];
  if (hashes.length !== path.length) throw malformed('a path of hashes');
  return { size, index, path: hashes };
}

/** Sig_structure. */
const toBeSigned = (header: Uint8Array, payload: Uint8Array): Uint8Array =>
  encodeBytes(['Signature1', header, new Uint8Array(), payload]);

function asMap(item: Item | undefined, size: number): Map<number | string, Item> {
  if (item instanceof Map && item.size === size) return item;
  throw malformed(`a map of ${size}`);
}

function decode(bytes: Uint8Array): Item {
  try {
    return decodeCbor(bytes);
  } catch (error) {
    throw new ReceiptError(`cose: ${(error as Error).message}`);
  }
}

const malformed = (what: string): ReceiptError => new ReceiptError(`cose: expected ${what}`);
