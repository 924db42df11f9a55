import { describe, expect, test } from 'vitest';
import { activityKind } from '../../../src/policy/activity-kind.ts';
import { decide } from '../../../src/policy/decide.ts';

const [root, other, member] = ['root', 'other', 'member'];
const outcome = (callerId: string, kind: string, threshold = 1, targetUserId?: string) =>
  decide({
    activity: { kind, ...(targetUserId === undefined ? {} : { targetUserId }) },
    callerId,
    rootQuorum: { threshold, userIds: [root, member] },
  });

const kinds = ['SIGN_TRANSACTION', 'CREATE_API_KEYS', 'UPDATE_ROOT_QUORUM', 'UPDATE_ORGANIZATION_NAME', 'DELETE_USERS'];

test('kinds are types without prefix and version', () => {
  expect(activityKind('ACTIVITY_TYPE_SIGN_TRANSACTION_V2')).toBe('SIGN_TRANSACTION');
  expect(activityKind('ACTIVITY_TYPE_CREATE_SUB_ORGANIZATION_V8')).toBe('CREATE_SUB_ORGANIZATION');
  expect(activityKind('ACTIVITY_TYPE_UPDATE_ROOT_QUORUM')).toBe('UPDATE_ROOT_QUORUM');
});

test.each(kinds)('a root quorum of one is satisfied by each of its members: %s', (kind) => {
  for (const user of [root, member]) expect(outcome(user, kind, 1, other).outcome).toBe('OUTCOME_ALLOW');
});

test.each(kinds)('a root quorum of two needs consensus: %s', (kind) => {
  const { outcome: decided, reason } = outcome(root, kind, 2, other);
  expect(decided).toBe('OUTCOME_REQUIRES_CONSENSUS');
  expect(reason).toContain('2 approvals');
});

test.each(kinds)('others are denied, whatever the threshold: %s', (kind) => {
  for (const threshold of [1, 2]) expect(outcome(other, kind, threshold, root).outcome).toBe('OUTCOME_DENY_IMPLICIT');
});

describe('own credentials', () => {
  const own = ['CREATE_AUTHENTICATORS', 'DELETE_AUTHENTICATORS', 'CREATE_API_KEYS', 'DELETE_API_KEYS'];

  test.each(own)('%s for oneself', (kind) => {
    expect(outcome(other, kind, 1, other).outcome).toBe('OUTCOME_ALLOW');
    expect(outcome(root, kind, 2, root).outcome).toBe('OUTCOME_ALLOW');
  });

  test.each(own)('%s for another, or for nobody', (kind) => {
    expect(outcome(other, kind, 1, root).outcome).toBe('OUTCOME_DENY_IMPLICIT');
    expect(outcome(other, kind, 1).outcome).toBe('OUTCOME_DENY_IMPLICIT');
    expect(outcome(root, kind, 2, other).outcome).toBe('OUTCOME_REQUIRES_CONSENSUS');
  });

  test.each(['UPDATE_USER', 'UPDATE_USER_EMAIL', 'DELETE_USERS', 'UPDATE_ROOT_QUORUM'])(
    '%s is no credential',
    (kind) => {
      expect(outcome(other, kind, 1, other).outcome).toBe('OUTCOME_DENY_IMPLICIT');
    },
  );
});

test('a user outside the quorum is told what only the quorum may do', () => {
  for (const kind of [
    'UPDATE_ROOT_QUORUM',
    'SET_ORGANIZATION_FEATURE',
    'REMOVE_ORGANIZATION_FEATURE',
    'UPDATE_ORGANIZATION_NAME',
  ]) {
    expect(outcome(other, kind)).toEqual({
      outcome: 'OUTCOME_DENY_IMPLICIT',
      reason: 'only the root quorum may do this',
    });
  }
  expect(outcome(other, 'SIGN_TRANSACTION').reason).toBe('no policy allows this');
});
