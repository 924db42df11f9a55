/** Shares of one manifest as its holders hand them in, during one start of the enclave and for one purpose. */
import { timingSafeEqual } from 'node:crypto';
import { handIn as envelopeOf, type HandIn } from '../../protocol/ceremony/hand-in.ts';
import { openSealed, type Recipient } from '../../protocol/ceremony/hpke.ts';
import { holderId, type Manifest, shareCommitment } from '../../protocol/ceremony/manifest.ts';
import { CountersignError } from '../../protocol/errors.ts';
import { combineShares } from './shares.ts';

/** A start of the enclave: its boot id, and the key that it made then. */
export type Boot = Recipient & { readonly id: Uint8Array };

export type Collection = {
  /** Names of those who handed in, in the manifest's order. */
  readonly names: () => string[];
  readonly isComplete: () => boolean;
  /** Takes a share, or throws a `CountersignError` that says what is wrong with it. */
  take(message: HandIn): void;
  /** The root key; null where the shares do not give the key that the manifest commits to. Forgets the shares. */
  combine(): Promise<Buffer | null>;
};

export const refuse = (message: string, reason: string): CountersignError =>
  new CountersignError('FAILED_PRECONDITION', message, { reason });

export function createCollection(manifest: Manifest, hash: Buffer, boot: Boot): Collection {
  const { holders, threshold } = manifest;
  const ids = holders.map(({ publicKey }) => holderId(publicKey).toString('hex'));
  const taken = new Map<number, Buffer>();

  function take(message: HandIn): void {
    if (message.boot !== hex(boot.id)) {
      throw refuse(
        `this share was sealed for another start of the enclave (${message.boot}), not for ${hex(boot.id)}; fetch the attestation again`,
        'SHARE_OTHER_BOOT',
      );
    }
    if (message.manifest !== hash.toString('hex')) {
      throw refuse(
        `this share belongs to another manifest (${message.manifest}); the present one is number ${manifest.nonce}, ${hash.toString('hex')}`,
        'SHARE_OTHER_MANIFEST',
      );
    }
    const index = ids.indexOf(message.holder);
    const holder = holders[index];
    if (!holder) throw refuse(`no holder of the manifest has the key ${message.holder}`, 'SHARE_UNKNOWN_HOLDER');
    if (taken.has(index)) throw refuse(`the share of ${holder.name} is there already`, 'SHARE_DUPLICATE');
    const share = open(message, holder.name);
    if (!timingSafeEqual(shareCommitment(share), holder.share)) {
      share.fill(0);
      throw refuse(
        `this is not the share that ${holder.name} was given: it was altered, or is of an earlier manifest`,
        'SHARE_WRONG',
      );
    }
    taken.set(index, share);
  }

  function open(message: HandIn, name: string): Buffer {
    try {
      return openSealed(boot, envelopeOf(message), Buffer.from(message.envelope, 'base64url'));
    } catch {
      throw refuse(
        `the envelope of ${name} cannot be opened: it was altered, or sealed to another key`,
        'SHARE_SEALED_WRONG',
      );
    }
  }

  return {
    names: () => holders.filter((_, index) => taken.has(index)).map(({ name }) => name),
    isComplete: () => taken.size >= threshold,
    take,
    async combine() {
      const shares = [...taken.values()];
      taken.clear();
      try {
        return await combineShares(shares, manifest.root);
      } finally {
        for (const share of shares) share.fill(0);
      }
    },
  };
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
