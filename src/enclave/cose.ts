/** COSE of what the boot key signs: Ed25519, the boot id as key id. Maps with integer keys are written by hand, in their one deterministic form. */
import { encode } from '../protocol/cbor.ts';
import type { BootIdentity } from './attestation/statement.ts';

/** COSE_Sign1, tag 18 and an array of four (RFC 9052 §4.2). */
const sign1 = Buffer.from('d284', 'hex');
const noPayload = Buffer.from('f6', 'hex');
const noMembers = Buffer.from('a0', 'hex');
const none = Buffer.alloc(0);

/** {1: -8 (EdDSA), 4: key id, 15: {1: issuer}} of a key id of 32 bytes; who issues is the log, by its verifier key. */
const plainHeader = (id: Uint8Array, log: string): Buffer => header('a3', id, log);
/** The same with {395: 1 (RFC9162_SHA256)}. */
const proofHeader = (id: Uint8Array, log: string): Buffer =>
  Buffer.concat([header('a4', id, log), Buffer.from('19018b01', 'hex')]);

const header = (map: 'a3' | 'a4', id: Uint8Array, log: string): Buffer =>
  Buffer.concat([Buffer.from(`${map}0127045820`, 'hex'), id, Buffer.from('0fa101', 'hex'), encode(log)]);

/** Sig_structure of RFC 9052 §4.4 without external data. */
const toBeSigned = (protectedHeader: Uint8Array, payload: Uint8Array): Buffer =>
  encode(['Signature1', protectedHeader, none, payload]);

/** The signature over a root of the log that all receipts of its batch share. */
export const signRoot = ({ id, sign }: Pick<BootIdentity, 'id' | 'sign'>, log: string, root: Uint8Array): Buffer =>
  sign(toBeSigned(proofHeader(id, log), root));

/** Inclusion proof as a COSE receipt (RFC 9942 §5.2.1); its payload, the root, is detached. `path`: the leaf's sibling first. */
export function inclusionReceipt(
  id: Uint8Array,
  log: string,
  signature: Uint8Array,
  { size, index, path }: { size: number; index: number; path: readonly Uint8Array[] },
): Buffer {
  // {396: {-1: [bstr .cbor proof]}}
  const unprotected = [Buffer.from('a119018ca12081', 'hex'), encode(encode([size, index, path]))];
  return Buffer.concat([sign1, encode(proofHeader(id, log)), ...unprotected, noPayload, encode(signature)]);
}

/** COSE_Sign1 over `payload`, which it carries. */
export function signPayload({ id, sign }: Pick<BootIdentity, 'id' | 'sign'>, log: string, payload: Uint8Array): Buffer {
  const protectedHeader = plainHeader(id, log);
  const signature = sign(toBeSigned(protectedHeader, payload));
  return Buffer.concat([sign1, encode(protectedHeader), noMembers, encode(payload), encode(signature)]);
}
