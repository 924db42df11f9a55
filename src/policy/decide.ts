/** Whether an activity may take effect: DESIGN §6's order of outcomes, as far as the root quorum decides it. */

export type DecisionInput = {
  readonly activity: {
    /** See `activityKind`. */
    readonly kind: string;
    /** The user whose credentials or data the activity is about; absent where it is about none. */
    readonly targetUserId?: string;
  };
  /** The one user whose stamp has been verified. */
  readonly callerId: string;
  readonly rootQuorum: { readonly threshold: number; readonly userIds: readonly string[] };
};

export type Decision = {
  readonly outcome: 'OUTCOME_ALLOW' | 'OUTCOME_DENY_IMPLICIT' | 'OUTCOME_REQUIRES_CONSENSUS';
  readonly reason: string;
};

/** Activities that manage the credentials of their target user. */
const credentialKinds: ReadonlySet<string> = new Set([
  'CREATE_AUTHENTICATORS',
  'DELETE_AUTHENTICATORS',
  'CREATE_API_KEYS',
  'DELETE_API_KEYS',
]);

/** Activities that no policy can give to others than the root quorum. */
const rootKinds: ReadonlySet<string> = new Set([
  'UPDATE_ROOT_QUORUM',
  'SET_ORGANIZATION_FEATURE',
  'REMOVE_ORGANIZATION_FEATURE',
  'UPDATE_ORGANIZATION_NAME',
]);

/** Decides for one stamping user: what no rule allows is denied. */
export function decide({ activity, callerId, rootQuorum }: DecisionInput): Decision {
  const isRoot = rootQuorum.userIds.includes(callerId);
  if (isRoot && rootQuorum.threshold === 1) {
    return { outcome: 'OUTCOME_ALLOW', reason: 'the root quorum is satisfied' };
  }
  if (credentialKinds.has(activity.kind) && activity.targetUserId === callerId) {
    return { outcome: 'OUTCOME_ALLOW', reason: 'users manage their own credentials' };
  }
  if (isRoot) {
    const reason = `the root quorum needs ${rootQuorum.threshold} approvals`;
    return { outcome: 'OUTCOME_REQUIRES_CONSENSUS', reason };
  }
  const reason = rootKinds.has(activity.kind) ? 'only the root quorum may do this' : 'no policy allows this';
  return { outcome: 'OUTCOME_DENY_IMPLICIT', reason };
}
