/** What the digest of policies that a decision names is over (docs/receipts.md): what they say, not when they were written. */
import { encodeBytes } from './cbor-bytes.ts';
import { receiptVersion } from './receipt.ts';

export type DecidedPolicy = {
  readonly id: string;
  readonly name: string;
  readonly effect: string;
  readonly condition: string;
  readonly consensus: string;
  readonly time?: string | undefined;
  readonly language?: string | undefined;
  readonly delaySeconds?: number | undefined;
  readonly notes: string;
};

/** All policies of an organization, by id. */
export function encodePolicies(policies: Iterable<DecidedPolicy>): Uint8Array {
  const decided = Array.from(policies, decidedPart).sort((a, b) => (a.id < b.id ? -1 : 1));
  return encodeBytes([receiptVersion, 'policies', decided]);
}

function decidedPart(policy: DecidedPolicy): DecidedPolicy {
  const { id, name, effect, condition, consensus, time, language, delaySeconds, notes } = policy;
  return { id, name, effect, condition, consensus, time, language, delaySeconds, notes };
}
