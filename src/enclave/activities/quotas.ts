/**
 * How much an organization and a user of it may hold: Turnkey's limits, and a generous one for wallet accounts. With all of
 * them used up by the longest values an organization still fits a frame (`src/protocol/frames.ts`), so nobody can make one
 * that cannot be loaded.
 */
import { CountersignError } from '../../protocol/errors.ts';

const overQuota = 'organization is over its allotted quota';

export const quotas = {
  users: { most: 100, what: 'users', refusal: overQuota },
  policies: { most: 100, what: 'policies', refusal: overQuota },
  windows: { most: 64, what: 'questions about the past in all policies together', refusal: overQuota },
  policySteps: { most: 1_000_000, what: 'steps of all policies together', refusal: overQuota },
  wallets: { most: 100, what: 'wallets', refusal: overQuota },
  walletAccounts: { most: 10_000, what: 'wallet accounts', refusal: overQuota },
  tags: { most: 100, what: 'tags', refusal: overQuota },
  subOrganizationTags: { most: 10, what: 'tags in a sub-organization', refusal: overQuota },
  interfaces: { most: 50, what: 'smart contract interfaces', refusal: overQuota },
  interfaceBytes: { most: 4_000_000, what: 'bytes of smart contract interfaces', refusal: overQuota },
  allMfaPolicies: { most: 200, what: 'mfa policies', refusal: overQuota },
  mfaPolicies: { most: 10, what: 'of these', refusal: 'user has exceeded maximum mfa policies' },
  smartAccounts: { most: 1_000, what: 'smart accounts', refusal: overQuota },
  privateKeys: { most: 1_000, what: 'private keys', refusal: overQuota },
  authenticators: { most: 10, what: 'of these', refusal: 'user has exceeded maximum authenticators' },
  longLivedApiKeys: { most: 10, what: 'of these', refusal: 'user has exceeded maximum long-lived api keys' },
  shortLivedApiKeys: { most: 10, what: 'of these', refusal: 'user has exceeded maximum short-lived api keys' },
} as const;

/** Refuses `count` of a kind in one organization, or with one user, when that is too many; `field` is what asks for them. */
export function checkQuota(kind: keyof typeof quotas, count: number, field: string): void {
  const { most, what, refusal } = quotas[kind];
  if (count <= most) return;
  const message = `${refusal}: expected at most ${most} ${what}; delete some first`;
  const fields = [{ field, description: message }];
  throw new CountersignError('RESOURCE_EXHAUSTED', message, { reason: 'QUOTA_EXCEEDED', fields });
}
