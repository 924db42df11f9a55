/** Whether an activity may take effect: guards, root quorum, denies, allows, default privileges, and otherwise no (DESIGN §6). */
import { type Approval, canBecome, prospectOf } from './approvals.ts';
import { denies, isAgreed, isLiftable, isMet, outcomeOf, type PolicyOutcome } from './evaluate-policy.ts';
import { absentNamespaces } from './namespaces.ts';
import type { Visit } from './policy-groups.ts';
import { someCandidate } from './policy-index.ts';
import type { Effect, Policy, PolicySet } from './policy-set.ts';
import { credentialKinds, rootKinds } from './schema/activities.ts';
import type { Value } from './types.ts';
import type { Facts } from './values.ts';

export type DecisionRequest = {
  /** See `activityKind`. */
  readonly kind: string;
  /** Roots of all clauses: those of the condition, `approvers` and `credentials` (each once), `time`. */
  readonly facts: Facts;
  /** Whose stamp started the activity. */
  readonly initiatorId: string;
  /** The user whose credentials the activity is about; absent where it is about none. */
  readonly targetUserId?: string;
  readonly rootQuorum: { readonly threshold: number; readonly userIds: readonly string[] };
  /** Users of the organization who have not approved; asked for only where nothing allows. */
  readonly others?: () => readonly Approval[];
};

export type Decision = {
  readonly outcome: 'OUTCOME_ALLOW' | 'OUTCOME_DENY_EXPLICIT' | 'OUTCOME_DENY_IMPLICIT';
  /** Not allowed yet, but further approvals could change that. */
  readonly pending: boolean;
  /** The policy that decided, or the rule. */
  readonly decidedBy: { readonly policyId: string } | 'root-quorum' | 'own-credentials' | null;
  readonly reason: string;
};

/** Which policies: those of an effect, or of those that allow the ones that were left out because nobody has agreed. */
type Which = Effect | 'awaiting';

/** Calls `visit` with them until it answers true; says whether it did. */
type Candidates = (which: Which, visit: Visit) => boolean;

/** Looks only at the policies that the index finds; decides the same as {@link decideByScan}. */
export function decide({ index, namespaces, forget }: PolicySet, request: DecisionRequest): Decision {
  const { facts } = request;
  const absent = absentNamespaces(facts, namespaces);
  const find: Candidates = (which, visit) =>
    someCandidate(which === 'awaiting' ? index.awaiting() : index[which], facts, absent, visit);
  try {
    return decideAmong(find, request, absent);
  } finally {
    forget();
  }
}

/** Looks at every policy: what the index is measured against, and right on facts that are incomplete as well. */
export function decideByScan({ policies, namespaces }: PolicySet, request: DecisionRequest): Decision {
  const absent = absentNamespaces(request.facts, namespaces);
  const scan: Candidates = (which, visit) => policies.some((policy) => policy.effect === which && visit(policy));
  return decideAmong(scan, request, absent);
}

function decideAmong(candidates: Candidates, request: DecisionRequest, absent: number): Decision {
  const guard = firstThatDenies(candidates, 'EFFECT_GUARD', request, absent);
  if (!guard) return decideUnguarded(candidates, request, absent);
  return { ...explicit(guard), pending: awaitsLifting(candidates, request, absent) };
}

function decideUnguarded(candidates: Candidates, request: DecisionRequest, absent: number): Decision {
  const { facts, kind, rootQuorum } = request;
  const rootApprovals = countRootApprovals(request);
  if (rootQuorum.threshold > 0 && rootApprovals >= rootQuorum.threshold) {
    return allowed('root-quorum', 'the root quorum is satisfied');
  }
  // Root users may always gather their quorum, past every deny.
  const pending = rootApprovals > 0 && rootApprovals + awaitedRootUsers(request) >= rootQuorum.threshold;
  const deny = firstThatDenies(candidates, 'EFFECT_DENY', request, absent);
  if (deny) return { ...explicit(deny), pending };
  const waiting: Policy[] = [];
  if (!rootKinds.has(kind)) {
    const allow = first(candidates, 'EFFECT_ALLOW', (policy, known) => {
      if (!isMet(policy, facts, absent, known)) return false;
      if (isAgreed(policy, facts)) return true;
      waiting.push(policy);
      return false;
    });
    if (allow) return allowed({ policyId: allow.id }, `policy ${allow.id} allows this`);
  }
  if (credentialKinds.has(kind) && request.targetUserId === request.initiatorId) {
    return allowed('own-credentials', 'users manage their own credentials');
  }
  if (pending) return implicit(`the root quorum needs ${rootQuorum.threshold} approvals`, true);
  if (rootKinds.has(kind)) return implicit('only the root quorum may do this', false);
  const awaited = someCanAgree(waiting, candidates, request, absent);
  return implicit(awaited ? 'more approvals are needed' : 'no policy allows this', awaited);
}

/** Whether further approvals would satisfy the consensus of one of these, or of those left out. */
function someCanAgree(
  waiting: readonly Policy[],
  candidates: Candidates,
  request: DecisionRequest,
  absent: number,
): boolean {
  const { facts } = request;
  const others = request.others?.() ?? [];
  if (others.length === 0) return false;
  const policies = [...waiting];
  candidates('awaiting', (policy, known) => {
    if (isMet(policy, facts, absent, known)) policies.push(policy);
    return false;
  });
  if (policies.length === 0) return false;
  const prospect = prospectOf(facts, others);
  // Those that ask for the same have one code.
  const clauses = new Map(policies.map(({ consensus }) => [consensus?.code, consensus]));
  return [...clauses.values()].some((consensus) => consensus !== null && canBecome(true, consensus, prospect));
}

/** Whether further approvals would lift every guard that denies, and nothing else is in the way. */
function awaitsLifting(candidates: Candidates, request: DecisionRequest, absent: number): boolean {
  const { facts } = request;
  const prospect = prospectOf(facts, request.others?.() ?? []);
  const stays = candidates(
    'EFFECT_GUARD',
    (policy, known) => denies(policy, facts, absent, known) && !isLiftable(policy, absent, prospect),
  );
  if (stays) return false;
  const rest = decideUnguarded(candidates, request, absent);
  return rest.outcome === 'OUTCOME_ALLOW' || rest.pending;
}

function first(candidates: Candidates, effect: Effect, fits: Visit): Policy | undefined {
  let found: Policy | undefined;
  candidates(effect, (policy, known) => {
    if (!fits(policy, known)) return false;
    found = policy;
    return true;
  });
  return found;
}

const firstThatDenies = (candidates: Candidates, effect: Effect, { facts }: DecisionRequest, absent: number) =>
  first(candidates, effect, (policy, known) => denies(policy, facts, absent, known));

/** Users, not stamps: one who approved twice counts once. */
function countRootApprovals({ facts, rootQuorum }: Pick<DecisionRequest, 'facts' | 'rootQuorum'>): number {
  const { userIds } = rootQuorum;
  const approvers = (facts.approvers ?? []) as readonly { readonly id: Value }[];
  let count = 0;
  for (let index = 0; index < userIds.length; index += 1) {
    const id = userIds[index] as string;
    if (approvers.some((approver) => approver.id === id) && userIds.indexOf(id) === index) count += 1;
  }
  return count;
}

/** Members of the root quorum who could still approve: all others, where nobody says who could. */
function awaitedRootUsers({ facts, rootQuorum, others }: DecisionRequest): number {
  const members = new Set(rootQuorum.userIds);
  if (others) return others().filter(({ user }) => members.has((user as { readonly id: string }).id)).length;
  return members.size - countRootApprovals({ facts, rootQuorum });
}

const allowed = (decidedBy: Decision['decidedBy'], reason: string): Decision => ({
  outcome: 'OUTCOME_ALLOW',
  pending: false,
  decidedBy,
  reason,
});

const implicit = (reason: string, pending: boolean): Decision => ({
  outcome: 'OUTCOME_DENY_IMPLICIT',
  pending,
  decidedBy: null,
  reason,
});

const explicit = ({ id, effect }: Policy) =>
  ({
    outcome: 'OUTCOME_DENY_EXPLICIT',
    decidedBy: { policyId: id },
    reason: `${effect === 'EFFECT_GUARD' ? 'guard' : 'policy'} ${id} denies this`,
  }) as const;

/** What became of each policy, in the order of the set. */
export function policyOutcomes(set: PolicySet, { facts, others }: DecisionRequest): readonly PolicyOutcome[] {
  const absent = absentNamespaces(facts, set.namespaces);
  const prospect = prospectOf(facts, others?.() ?? []);
  return set.policies.map((policy) => outcomeOf(policy, absent, prospect));
}
