import { sha256 } from '@noble/hashes/sha2.js';
import { encodePolicies } from '../../../src/protocol/decided-policies.ts';
import type { PolicyObject } from '../../../src/protocol/queries/objects.ts';

/** Digest of all policies of an organization, as `list_policies` gives them. */
export const policiesDigest = (policies: readonly PolicyObject[]): Uint8Array =>
  sha256(
    encodePolicies(policies.map(({ policyId, policyName, ...rest }) => ({ ...rest, id: policyId, name: policyName }))),
  );
