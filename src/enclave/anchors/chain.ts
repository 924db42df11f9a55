/** The chain of batches as a TPM keeps it: SHA-256(chain ‖ hash of the batch), from 32 zero bytes on. Pure. */
import { sha256 } from '../ledger/hash.ts';

export const chainStart: Buffer = Buffer.alloc(32);

export const extendChain = (chain: Uint8Array, hash: Uint8Array): Buffer => sha256(Buffer.concat([chain, hash]));

/**
 * How many of the batches with `hashes`, in order behind the one at `base`, are in the chain `held`; null when it is none of
 * theirs, and so the database hides what came, or never came, to it.
 */
export function chainPosition(base: Uint8Array, hashes: readonly Uint8Array[], held: Uint8Array): number | null {
  let chain: Buffer = Buffer.from(base);
  for (let position = 0; ; position++) {
    if (chain.equals(held)) return position;
    const next = hashes[position];
    if (!next) return null;
    chain = extendChain(chain, next);
  }
}
