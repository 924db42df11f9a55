import { describe, expect, test } from 'vitest';
import type { VoteRecord } from '../../../src/enclave/activity-record.ts';
import type { Organization, User } from '../../../src/enclave/state.ts';
import { countVotes, voteLifetime } from '../../../src/enclave/votes.ts';
import { apiKey, organization, startTime, user } from '../../support/test-ledger.ts';

const [a, b] = [user('a'), user('b')];
const team: Organization = { ...organization('team'), users: new Map([a, b].map((each) => [each.id, each])) };
const keyOf = ({ apiKeys }: User) => apiKeys[0] as User['apiKeys'][number];

const vote = (by: User, change: Partial<VoteRecord> = {}): VoteRecord => ({
  id: 'vote',
  userId: by.id,
  stamp: { kind: 'apiKey', publicKey: keyOf(by).publicKey, scheme: 'SIGNATURE_SCHEME_TK_API_P256', signature: '' },
  selection: 'VOTE_SELECTION_APPROVED',
  createdAt: startTime,
  ...change,
});
const counted = (votes: readonly VoteRecord[], now = startTime, within = team) => {
  const { approvers, others } = countVotes(votes, within, now);
  const ids = (values: readonly unknown[]) => values.map((value) => (value as { id: string }).id);
  return { approvers: ids(approvers), others: ids(others().map((each) => each.user)) };
};

describe('a vote counts', () => {
  test('once for each user', () => {
    expect(counted([vote(a), vote(a), vote(b)])).toEqual({ approvers: [a.id, b.id], others: [] });
    expect(counted([vote(a)])).toEqual({ approvers: [a.id], others: [b.id] });
  });

  test('for a day', () => {
    expect(counted([vote(a)], startTime + voteLifetime - 1).approvers).toEqual([a.id]);
    expect(counted([vote(a)], startTime + voteLifetime)).toEqual({ approvers: [], others: [a.id, b.id] });
    const renewed = [vote(a), vote(a, { createdAt: startTime + voteLifetime })];
    expect(counted(renewed, startTime + voteLifetime).approvers).toEqual([a.id]);
  });

  test('until it is taken back, and then its user is not waited for', () => {
    const rejection = vote(a, { selection: 'VOTE_SELECTION_REJECTED' });
    expect(counted([vote(a), rejection])).toEqual({ approvers: [], others: [b.id] });
    expect(counted([vote(a), rejection, vote(a)]).approvers).toEqual([a.id]);
  });

  test('while its user is there and holds the credential, which has not expired', () => {
    const without = { ...team, users: new Map([[b.id, b]]) };
    expect(counted([vote(a)], startTime, without)).toEqual({ approvers: [], others: [b.id] });
    const rekeyed = { ...team, users: new Map([[a.id, { ...a, apiKeys: [apiKey()] }]]) };
    expect(counted([vote(a)], startTime, rekeyed)).toEqual({ approvers: [], others: [a.id] });
    const expiring = { ...a, apiKeys: [{ ...keyOf(a), expirationSeconds: 60 }] };
    const within = { ...team, users: new Map([[a.id, expiring]]) };
    expect(counted([vote(a)], startTime + 59_000, within).approvers).toEqual([a.id]);
    expect(counted([vote(a)], startTime + 60_000, within).approvers).toEqual([]);
  });
});
