import { type Cbor, encode } from '../protocol/cbor.ts';
import type { Recorded } from './activity-record.ts';
import { formatVersion } from './contexts.ts';
import { ownBytes, sha256 } from './ledger/hash.ts';
import type { Organization, Policy } from './state.ts';

const digests = new WeakMap<ReadonlyMap<string, Policy>, Buffer>();

/** SHA-256 over all policies as they are stored, so that a decision says under which of them it was made. */
export function policiesDigest(policies: ReadonlyMap<string, Policy>): Buffer {
  let digest = digests.get(policies);
  if (!digest) {
    const sorted = [...policies.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
    digest = ownBytes(sha256(encode([formatVersion, 'policies', sorted as unknown as Cbor])));
    digests.set(policies, digest);
  }
  return digest;
}

/** Whether the policies are no longer those by which an activity was decided. */
export const policiesChanged = ({ facts }: Pick<Recorded, 'facts'>, { policies }: Organization): boolean =>
  Buffer.compare(facts.decision.policies, policiesDigest(policies)) !== 0;
