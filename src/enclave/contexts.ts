/**
 * Every context string, format version and domain separator of the enclave, so that no two uses of a key or a hash can
 * be taken for one another. A format that changes gets a new version here and the old one is refused by name.
 */

/** First byte of whatever is sealed. */
export const sealedVersion = 1;

/** `v` of heads, batch records, log entries, activity records, anchors and the sealing file. */
export const formatVersion = 1;

/** HKDF info strings below the root key. Those of ceremonies, which holders use too, are in src/protocol/ceremony/manifest.ts. */
export const derivations = {
  seal: 'countersign/seal/v1',
  headTag: 'countersign/head-tag/v1',
  anchorTag: 'countersign/anchor-tag/v1',
  identity: 'countersign/identity/v1',
  hint: 'countersign/hint/v1',
  fingerprint: 'countersign/fingerprint/v1',
  checkpointKey: 'countersign/checkpoint-key/v1',
  tpmAnchor: 'countersign/tpm-anchor/v1',
  tpmGeneration: 'countersign/tpm-generation/v1',
  manifestTag: 'countersign/manifest-tag/v1',
} as const;

/** What a sealed blob holds; part of its associated data. */
export type SealedKind = 'page' | 'counters' | 'key' | 'activity' | 'batch' | 'denial';

/** HKDF info string of the key that wraps the root key, below what a sealing provider gave. */
export const wrappingContext = 'countersign/sealing/wrap/v1';
