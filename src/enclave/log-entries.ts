/** What becomes an entry of the log. Of organizations it holds commitments only, so that a public log says nothing about them. */
import { type Cbor, encode } from '../protocol/cbor.ts';
import { formatVersion } from './contexts.ts';
import { sha256 } from './ledger/hash.ts';

export type LogEntry =
  | { readonly kind: 'activity' | 'order' | 'vote'; readonly digest: Uint8Array }
  /** Public: a start, and a start that took a state which the operator named. */
  | {
      readonly kind: 'boot' | 'acceptState';
      /** Boot id. */
      readonly boot: Uint8Array;
      readonly settings: Uint8Array;
      readonly nonce: Uint8Array;
      /** Unix ms. */
      readonly time: number;
      readonly epoch: number;
    };

export const encodeEntry = (entry: LogEntry): Buffer => encode({ v: formatVersion, ...entry } as Cbor);

/** The entry of an activity commits to its sealed row and to what its receipt claims, by the digests of both. */
export const activityEntry = (row: Uint8Array, claims: Uint8Array): Buffer =>
  encodeEntry({ kind: 'activity', digest: sha256(Buffer.concat([row, claims])) });

/** The entry of a vote that left its activity pending. What the vote says is in the activity's record, once that is final. */
export const voteEntry = (activityId: string, voteId: string, selection: string): LogEntry => ({
  kind: 'vote',
  digest: sha256(encode([formatVersion, activityId, voteId, selection])),
});
