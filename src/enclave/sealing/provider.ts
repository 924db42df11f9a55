/** Where the root key comes from. A provider keeps it for this enclave and nobody else; the ledger derives all else from it. */

export type SealingProvider = {
  /** As in `COUNTERSIGN_SEALING`. */
  readonly name: string;
  /** True when the root key was sealed at an earlier start. */
  exists(): boolean;
  /** Makes and seals a new root key. Only for a first start: throws where one exists. */
  create(rootKey: Buffer): void;
  /** Removes what an interrupted first start left. */
  discard(): void;
  /** The 32 bytes of the root key. Throws a `SealingError` with what an operator can do. */
  unseal(): Buffer;
};

/** What is wrong with the sealed root key, for the operator. */
export class SealingError extends Error {
  override name = 'SealingError';
}
