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
  /** What the TPM held then, where there is one. */
  readonly tpm?: TpmPosition;
};

export type TpmPosition = {
  /** 32 bytes: SHA-256(the one before ‖ hash of the batch), from zeros on. */
  readonly chain: Uint8Array;
  readonly counter: number;
  /** Name of its storage key: which TPM it is. */
  readonly storageKey: Uint8Array;
};

export type ChangedBucket = { readonly bucket: number; readonly hash: Uint8Array };

export type Anchor = {
  readonly name: string;
  /** The newest state; null before the first start. Throws an `AnchorError` when there is one that cannot be trusted. */
  load(): AnchoredState | null;
  /** Makes an anchor whose map has these 2^16 bucket hashes (32 bytes each). For the first start only. */
  create(state: AnchoredState, bucketHashes: Buffer): void;
  /** Batches that may be on their way at a time. With witnesses one, so that at most one is known to some of them only. */
  readonly depth: 1 | 2;
  /**
   * At a start: whether the newest state that the anchor has seen is one of `states`, which are the loaded one and those that the
   * database shows behind it. With `accepted` it goes on from the only one, by the operator's word. Throws an `AnchorError`.
   */
  verify(states: readonly AnchoredState[], accepted: boolean): Promise<void>;
  /** Moves to `state`; durable, and confirmed by all parts, when the promise resolves, to the state with what they added. */
  move(state: AnchoredState, changed: readonly ChangedBucket[]): Promise<AnchoredState>;
  /** Hashes of all buckets of the loaded state's map; torn by a power cut at worst, so check them against its root. */
  bucketHashes(): Buffer;
  /** Unix ms that it certainly is by now, as witnesses say; 0 without. */
  time(): number;
  /** What a move or a start is held up by; null for nothing. */
  waitsFor(): string | null;
};

/** A part of an anchor beside the file: each state must be confirmed by it before the file moves and the answers leave. */
export type Confirmer = Pick<Anchor, 'name' | 'verify' | 'time' | 'waitsFor'> & {
  confirm(state: AnchoredState): Promise<AnchoredState>;
};

/** What is wrong with the anchor, for the operator. */
export class AnchorError extends Error {
  override name = 'AnchorError';
}
