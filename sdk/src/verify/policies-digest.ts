import { sha256 } from '@noble/hashes/sha2.js';
import { encodeBytes } from '../../../src/protocol/cbor-bytes.ts';
import type { PolicyObject } from '../../../src/protocol/queries/objects.ts';

/** Digest of all policies of an organization, as `list_policies` gives them, in the form that decisions name. */
export function policiesDigest(policies: readonly PolicyObject[]): Uint8Array {
  const stored = policies.map(({ policyId, policyName, createdAt, updatedAt, ...rest }) => ({
    ...rest,
    id: policyId,
    name: policyName,
    createdAt: milliseconds(createdAt),
    updatedAt: milliseconds(updatedAt),
  }));
  stored.sort((a, b) => (a.id < b.id ? -1 : 1));
  return sha256(encodeBytes([1, 'policies', stored]));
}

const milliseconds = ({ seconds, nanos }: PolicyObject['createdAt']): number =>
  Number(seconds) * 1000 + Math.round(Number(nanos) / 1e6);
