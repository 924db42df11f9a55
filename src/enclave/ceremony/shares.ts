/** Shamir's shares of the root key (GF(2^8)). The library gives a wrong key for a wrong share: commitments tell. */
import { timingSafeEqual } from 'node:crypto';
import { combine, split } from 'shamir-secret-sharing';
import { rootCommitment } from '../../protocol/ceremony/manifest.ts';

/** `count` shares of 33 bytes of which any `threshold` give the root key. */
export async function splitRoot(rootKey: Uint8Array, count: number, threshold: number): Promise<Buffer[]> {
  const secret = Uint8Array.from(rootKey);
  try {
    return (await split(secret, count, threshold)).map((share) => Buffer.from(share.buffer));
  } finally {
    secret.fill(0);
  }
}

/** The root key; null where it is not the one of the commitment. */
export async function combineShares(shares: readonly Uint8Array[], commitment: Uint8Array): Promise<Buffer | null> {
  const copies = shares.map((share) => Uint8Array.from(share));
  try {
    const rootKey = Buffer.from((await combine(copies)).buffer);
    if (timingSafeEqual(rootCommitment(rootKey), commitment)) return rootKey;
    rootKey.fill(0);
    return null;
  } finally {
    for (const copy of copies) copy.fill(0);
  }
}
