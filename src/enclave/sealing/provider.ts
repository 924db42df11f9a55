/**
 * What keeps the root key between two starts of the enclave; the ledger derives all other keys from it. A provider turns the
 * key into a record that is safe to lie on a disk, and back. Where that record lies, and how one takes the place of
 * another, is the business of `sealing-file.ts` and `root-key.ts`, the same for all of them.
 */
import type { Cbor } from '../../protocol/cbor.ts';
import type { SealingName } from '../../protocol/sealing-names.ts';

/** What a provider keeps of a root key; written to the disk as it is. */
export type SealedRoot = { readonly [member: string]: Cbor };

export type SealingProvider = {
  readonly name: SealingName;
  /**
   * Seals the 32 bytes of the root key. `previous` is what this provider sealed before and is to be replaced; absent when
   * the key comes to this provider for the first time. Throws a `SealingError`.
   */
  seal(rootKey: Buffer, previous?: SealedRoot): Promise<SealedRoot>;
  /** The 32 bytes of the root key, in a Buffer of their own that the caller zeroes. Throws a `SealingError`. */
  unseal(sealed: SealedRoot): Promise<Buffer>;
  /** Makes what was sealed before `current` worthless, for good. Absent where a provider has no way to. May be repeated. */
  retireOlder?(rootKey: Buffer, current: SealedRoot): Promise<void>;
  /** Seals for other code, of this measurement (48 bytes), what replaces `previous`. Absent where code is not what opens it. */
  sealForCode?(rootKey: Buffer, previous: SealedRoot, measurement: Uint8Array): Promise<SealedRoot>;
  /** Answers what people send while `seal` or `unseal` wait for them; absent where nobody is waited for. */
  ceremony?(message: Uint8Array): Promise<Uint8Array>;
};

/** Told what a provider waits for (null: no longer), as long as people take; the enclave shows it in its status. */
export type Waiting = (what: string | null) => void;

/** What is wrong with the sealed root key, and what the operator can do about it. */
export class SealingError extends Error {
  override name = 'SealingError';
}
