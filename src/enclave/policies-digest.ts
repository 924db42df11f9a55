import { encodePolicies } from '../protocol/decided-policies.ts';
import type { Recorded } from './activity-record.ts';
import { ownBytes, sha256 } from './ledger/hash.ts';
import type { Organization, Policy } from './state.ts';

const digests = new WeakMap<ReadonlyMap<string, Policy>, Buffer>();

/** SHA-256 over what all policies say, so that a decision says under which of them it was made. */
export function policiesDigest(policies: ReadonlyMap<string, Policy>): Buffer {
  let digest = digests.get(policies);
  if (!digest) {
    digest = ownBytes(sha256(encodePolicies(policies.values())));
    digests.set(policies, digest);
  }
  return digest;
}

/** Whether the policies are no longer those by which an activity was decided. */
export const policiesChanged = ({ facts }: Pick<Recorded, 'facts'>, { policies }: Organization): boolean =>
  Buffer.compare(facts.decision.policies, policiesDigest(policies)) !== 0;
