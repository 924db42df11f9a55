/** Whether an activity may take effect now, by the root quorum and the policies of its organization. */

import { isUserOperationDigestDoor } from '../decode/user-operation/digest-door.ts';
import { activityKind } from '../policy/activity-kind.ts';
import { type Decision, type DecisionRequest, decide } from '../policy/decide-policies.ts';
import { createPolicySet, type PolicySet } from '../policy/policy-set.ts';
import type { History } from '../policy/windows.ts';
import { CountersignError } from '../protocol/errors.ts';
import { findSigner } from './activities/signers.ts';
import type { Authentication } from './authentication.ts';
import { compileStored } from './compiled-policies.ts';
import { conditionsOf } from './conditions.ts';
import { countPast, historyFacts, keepsPast } from './past.ts';
import { activityFacts, signerOf } from './policy-facts.ts';
import type { Organization, WaitingStatus } from './state.ts';
import type { Submission } from './submission.ts';
import { type Sums, sumsOf, withSums } from './sums.ts';
import { ownsSmartAccount } from './user-operations.ts';
import type { Approvals } from './votes.ts';

export type Question = {
  readonly submission: Submission;
  readonly organization: Organization;
  readonly approvals: Approvals;
  /** Absent where only the policies are asked. */
  readonly authentication?: Authentication;
  /** Whose stamp started it. */
  readonly initiatorId: string;
  /** Web origin of the initiator's passkey. */
  readonly origin: string | null;
  readonly now: number;
  /** Of the newest accepted restore, in Unix ms; 0 where there was none. */
  readonly epochStart: number;
  /** Of a past activity: what was known about its past when it was decided. */
  readonly sums?: Sums;
};

type Decided = Decision & {
  /** What was asked about the past, and answered with a number. */
  readonly sums?: Sums;
};

export type Verdict = Decided & {
  /** How it waits, if it does. */
  readonly waitsAs: WaitingStatus;
};

/**
 * The decision about all that an activity does: of several payloads every one has to be allowed. What binds credentials and
 * users comes before what the organization decides by. Throws what is wrong with what would be signed.
 */
export function authorize(question: Question): Verdict {
  const { authentication, initiatorId } = question;
  if (authentication?.isOutOfScope) return beyondScope;
  const decision = decideBy(question);
  if (!authentication || authentication.lacking.size === 0) return waitingForOthers(decision);
  const { claimed, lacking, voterId } = authentication;
  const atBest = decideBy({ ...question, approvals: claimed });
  if (atBest.outcome !== 'OUTCOME_ALLOW' && !atBest.pending) return waitingForOthers(atBest);
  const isAllowed = decision.outcome === 'OUTCOME_ALLOW';
  if (lacking.has(initiatorId) || (lacking.has(voterId) && !isAllowed)) return lackingMore;
  return waitingForOthers(isAllowed ? decision : { ...decision, pending: true });
}

function decideBy(question: Question): Decided {
  const { set, requests } = requestsOf(question);
  const decision = worstOf(requests.map((request) => decide(set, request)));
  return { ...decision, ...sumsOf(set.windows, requests[0]?.facts.history as History | undefined) };
}

const waitingForOthers = (decision: Decided): Verdict => ({
  ...decision,
  waitsAs: decision.outcome === 'OUTCOME_ALLOW' ? 'ACTIVITY_STATUS_PENDING' : 'ACTIVITY_STATUS_CONSENSUS_NEEDED',
});

const refusal = { outcome: 'OUTCOME_DENY_IMPLICIT', decidedBy: null } as const;
const lackingMore: Verdict = {
  ...refusal,
  pending: true,
  reason: 'an MFA policy asks for more authenticators',
  waitsAs: 'ACTIVITY_STATUS_AUTHENTICATORS_NEEDED',
};
const beyondScope: Verdict = {
  ...refusal,
  pending: false,
  reason: 'this is beyond the scope of the session',
  waitsAs: 'ACTIVITY_STATUS_CONSENSUS_NEEDED',
};

/** What the policies are asked: one request for each thing that the activity signs. Throws as {@link authorize} does. */
export function requestsOf(question: Question): {
  readonly set: PolicySet;
  readonly requests: readonly DecisionRequest[];
} {
  const { submission, organization, approvals, initiatorId, origin, now, epochStart } = question;
  const set = policySetOf(organization);
  const { userId } = submission.parameters as { userId?: string };
  const { approvers, credentials, others } = approvals;
  // What nothing asks about need not be decoded.
  const doors = doorsOf(submission, organization);
  const isAsked = set.policies.length > 0 || conditionsOf(organization).length > 0 || doors.includes(true);
  const facts = isAsked ? activityFacts(submission, organization, now, origin) : [{}];
  checkSteps(set.cost, facts.length);
  const { windows } = set;
  const kind = activityKind(submission.type);
  const signer = windows.length > 0 ? signerOf(submission, organization) : { signer: '', accounts: [] };
  const known = historyFacts(windows, organization, { kind, facts, ...signer }, now, epochStart);
  const history = withSums(known, question.sums);
  const requests = facts.map((each, index) => ({
    kind,
    facts: { ...each, approvers, credentials, history },
    initiatorId,
    ...(userId !== undefined && { targetUserId: userId }),
    rootQuorum: doors[index] && each.userop === undefined ? noQuorum : organization.settings.rootQuorum,
    others,
  }));
  return { set, requests };
}

/** Of all decisions about one activity: the enclave has other organizations to serve. */
const mostSteps = 4_000_000;

/** One thing at a time is always decided about; see `quotas.policySteps`. */
function checkSteps(cost: number, count: number): void {
  if (count === 1 || cost * count <= mostSteps) return;
  const most = Math.max(1, Math.floor(mostSteps / cost));
  const message = `policies that may take ${cost} steps are asked about at most ${most} payloads at once`;
  throw new CountersignError('RESOURCE_EXHAUSTED', message, { reason: 'QUOTA_EXCEEDED' });
}

/** Nobody reaches it: only a policy allows. */
const noQuorum = { threshold: 1, userIds: [] } as const;

type Payloads = { readonly encoding: string; readonly hashFunction: string; readonly signWith: string } & (
  | { readonly payload: string }
  | { readonly payloads: readonly string[] }
);

/**
 * For each payload whether it could be a user operation by another door: typed data, or, with a key that owns a smart
 * account, a bare digest. Where it cannot be read as the operation that it is, no quorum can have it signed, only a policy.
 */
function doorsOf({ activity, parameters }: Submission, organization: Organization): readonly boolean[] {
  if (!/^sign_raw_payloads?$/.test(activity.name)) return [];
  const given = parameters as Payloads;
  const { encoding, hashFunction, signWith } = given;
  const ownsAccount =
    organization.smartAccounts.size > 0 && ownsSmartAccount(organization, findSigner(organization, signWith).id);
  if (encoding !== 'PAYLOAD_ENCODING_EIP712' && !ownsAccount) return [];
  const payloads = 'payloads' in given ? given.payloads : [given.payload];
  return payloads.map((payload) => isUserOperationDigestDoor({ payload, encoding, hashFunction }));
}

/** A denial before what is pending, and that before what is allowed. */
export function worstOf(decisions: readonly Decision[]): Decision {
  const rank = ({ outcome, pending }: Decision) => (outcome === 'OUTCOME_ALLOW' ? 0 : pending ? 1 : 2);
  return decisions.reduce((worst, each) => (rank(each) > rank(worst) ? each : worst));
}

/** By the map of policies that they were compiled from, which never changes in place. */
const compiled = new WeakMap<object, PolicySet>();

/** `next`, with what was carried out in `organization` counted, as far as policies ask about such. */
export function countForWindows(
  next: Organization,
  { submission, organization, origin, now }: Pick<Question, 'submission' | 'organization' | 'origin' | 'now'>,
): Organization {
  const { windows } = policySetOf(organization);
  if (windows.length === 0 && !keepsPast(next)) return next;
  const facts = windows.length > 0 ? activityFacts(submission, organization, now, origin) : [];
  const deed = { kind: activityKind(submission.type), facts, ...signerOf(submission, organization) };
  return countPast(next, windows, deed, now);
}

/** With what MFA policies and scopes ask about the past, and cost, as well. */
export function policySetOf(organization: Organization): PolicySet {
  const { policies } = organization;
  const set = compiled.get(policies) ?? createPolicySet([...policies.values()].map((policy) => compileStored(policy)));
  compiled.set(policies, set);
  const conditions = conditionsOf(organization);
  if (conditions.length === 0) return set;
  const windows = conditions.flatMap((condition) => condition.windows);
  const cost = conditions.reduce((sum, condition) => sum + condition.set.cost, set.cost);
  return { ...set, cost, windows: [...set.windows, ...windows] };
}
