/**
 * The proof that comes with an answer to `?proof=1`: the enclave signs for the answer and for the organization's head that it
 * was made from, and the map's path shows that this head is the current one.
 */

/** `v` of proofs and of what is signed in them. */
export const readProofVersion = 1;

/** Digests are SHA-256. */
export type ReadClaims = {
  v: typeof readProofVersion;
  /** Name of the query. */
  query: string;
  /** Digest of the body that was asked with, and of the answer's body, byte by byte. */
  request: Uint8Array;
  answer: Uint8Array;
  /** 16 bytes. */
  organization: Uint8Array;
  /** Digest of the head. */
  head: Uint8Array;
  /** Root of the map as of the checkpoint. */
  map: Uint8Array;
  /** Unix ms. */
  time: number;
};

/** Members of the CBOR map that a proof is. */
export type ReadProof = {
  v: typeof readProofVersion;
  /** COSE_Sign1 over encoded `ReadClaims`, which it carries, by the boot key; its key id is the boot id, its issuer the log. */
  cose: Uint8Array;
  /**
   * Hashes of the entries of the map's bucket in order, SHA-256(02 ‖ key ‖ value) each, of which the organization's is one: its
   * key is id ‖ 16 zero bytes, its value the head's digest. The bucket's own hash is SHA-256(00 ‖ hashes).
   */
  bucket: Uint8Array;
  /** Sibling hashes from the bucket up to the root, 16 of 32 bytes; a node is SHA-256(01 ‖ left ‖ right). */
  path: Uint8Array[];
  /** The signed note that names the map's root. */
  checkpoint: string;
  statement: Uint8Array;
};
