import { encode } from '../protocol/cbor.ts';
import { formatVersion } from './contexts.ts';
import { sha256 } from './ledger/hash.ts';
import type { LogEntry } from './ledger/ledger.ts';

/** The leaf of a vote that left its activity pending. What the vote says is in the activity's record, once that is final. */
export const voteLeaf = (activityId: string, voteId: string, selection: string): LogEntry => ({
  kind: 'vote',
  digest: sha256(encode([formatVersion, activityId, voteId, selection])),
});
