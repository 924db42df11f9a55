/** Where the enclave remembers, outside the database, which state is the newest one that it let out. */

export type AnchoredState = {
  /** Number and hash of the newest batch. */
  readonly number: number;
  readonly hash: Uint8Array;
  readonly mapRoot: Uint8Array;
  readonly logSize: number;
  readonly logRoot: Uint8Array;
  /** Raised by each accepted restore; bodies stamped before `epochStart` (Unix ms) are refused. */
  readonly epoch: number;
  readonly epochStart: number;
  /** Unix ms of the newest batch: time never runs back from here. */
  readonly time: number;
  /** The signed checkpoint of this state. */
  readonly checkpoint: string;
};

export type ChangedBucket = { readonly bucket: number; readonly hash: Uint8Array };

export type Anchor = {
  readonly name: string;
  /** The newest state; null before the first start. Throws an `AnchorError` when there is one that cannot be trusted. */
  load(): AnchoredState | null;
  /** Makes an anchor whose map has these 2^16 bucket hashes (32 bytes each). For the first start only. */
  create(state: AnchoredState, bucketHashes: Buffer): void;
  /** Moves to `state`; durable when the promise resolves. */
  move(state: AnchoredState, changed: readonly ChangedBucket[]): Promise<void>;
  /** Hashes of all buckets of the loaded state's map; torn by a power cut at worst, so check them against its root. */
  bucketHashes(): Buffer;
};

/** What is wrong with the anchor, for the operator. */
export class AnchorError extends Error {
  override name = 'AnchorError';
}
