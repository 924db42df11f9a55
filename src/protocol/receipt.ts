/**
 * Receipts: what the enclave says of an activity, and the proof that the log holds it (docs/receipts.md has the format
 * byte by byte). Pure shapes; `src/enclave/receipts.ts` makes them, `sdk/src/verify` verifies them.
 */

/** `v` of receipts and of claims. */
export const receiptVersion = 1;

/** COSE header labels and values (RFC 9052 §3.1, RFC 9942 §5). */
export const cose = {
  alg: 1,
  eddsa: -8,
  kid: 4,
  /** CWT claims: {1: issuer}, the verifier key of the log as text. */
  claims: 15,
  issuer: 1,
  vds: 395,
  rfc9162Sha256: 1,
  vdp: 396,
  inclusionProof: -1,
} as const;

/** A vote about the activity; the first is that of whoever submitted it. */
export type ClaimedVote = {
  kind: 'apiKey' | 'passkey';
  /** Compressed public key in hex, or the credential id in base64url. */
  credential: string;
  /** Of a passkey its COSE_Key, of an API key the key itself. */
  publicKey: Uint8Array;
  selection: 'VOTE_SELECTION_APPROVED' | 'VOTE_SELECTION_REJECTED';
  /** Unix ms. */
  at: number;
  /** SHA-256 of the vote's body, where it is not the activity's own. */
  body?: Uint8Array;
};

/** Digests are SHA-256. */
export type Claims = {
  v: typeof receiptVersion;
  organization: string;
  activity: string;
  type: string;
  status: string;
  /** Digest of the body that was submitted. */
  request: Uint8Array;
  votes: ClaimedVote[];
  /** `policies`: digest of all policies of the organization at the time. */
  decision: { outcome: string; decidedBy: string | null; policies: Uint8Array };
  /**
   * Of what was signed, in order: the payload's text as it was requested (of a user operation: its hash, `0x` and lower-case
   * hex), and the signature's bytes: r ‖ s ‖ v, or the signed transaction.
   */
  signed: { payload: Uint8Array; signature: Uint8Array }[];
  /** Digest of the result's JSON text; null unless the activity was completed. */
  result: Uint8Array | null;
  /** The organization before and after, and the number of the state after. */
  headBefore: Uint8Array;
  headAfter: Uint8Array;
  sequence: number;
  /** Unix ms. */
  time: number;
  /** Boot id of the enclave that decided. */
  enclave: Uint8Array;
};

/** Members of the CBOR map that a receipt is. */
export type Receipt = {
  v: typeof receiptVersion;
  /** Encoded `Claims`. */
  claims: Uint8Array;
  /** Digest of the activity's sealed row: the other half of what the log's entry commits to. */
  row: Uint8Array;
  /** COSE_Sign1 of RFC 9942 §5.2: inclusion in the log, signed with the boot key; the payload is the log's root, detached. */
  cose: Uint8Array;
  /** The signed note of the same root. */
  checkpoint: string;
  /** The boot statement whose digest is the boot id that the proof names. */
  statement: Uint8Array;
  /** The stamps of the votes, in their order, with the bodies that they are over: only where whoever asked wished them there. */
  stamps?: (
    | { body: Uint8Array; scheme: string; signature: Uint8Array }
    | { body: Uint8Array; authenticatorData: Uint8Array; clientDataJson: Uint8Array; signature: Uint8Array }
  )[];
};
