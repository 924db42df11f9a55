/** What can keep the root key between two starts (docs/sealing.md), as in `COUNTERSIGN_SEALING`. */
export const sealingNames = ['local-file', 'quorum-shares', 'tpm2', 'dstack', 'nitro-kms'] as const;
export type SealingName = (typeof sealingNames)[number];
