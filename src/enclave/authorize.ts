/** Whether an activity may take effect now, by the root quorum and the policies of its organization. */
import { activityKind } from '../policy/activity-kind.ts';
import { type Decision, type DecisionRequest, decide } from '../policy/decide-policies.ts';
import {
  type Policy as CompiledPolicy,
  compilePolicy,
  createPolicySet,
  InvalidPolicyError,
  type PolicySet,
} from '../policy/policy-set.ts';
import { sourceOf } from './activities/policies.ts';
import { activityFacts, signerAddress } from './policy-facts.ts';
import { countWindows, historyFacts, spendingOf } from './spending.ts';
import type { Organization, Policy } from './state.ts';
import type { Submission } from './submission.ts';
import type { Approvals } from './votes.ts';

export type Question = {
  readonly submission: Submission;
  readonly organization: Organization;
  readonly approvals: Approvals;
  /** Whose stamp started it. */
  readonly initiatorId: string;
  /** Web origin of the initiator's passkey. */
  readonly origin: string | null;
  readonly now: number;
  /** Of the newest accepted restore, in Unix ms; 0 where there was none. */
  readonly epochStart: number;
};

/**
 * The decision about all that an activity does: of several payloads every one has to be allowed. Throws what is wrong with
 * what would be signed.
 */
export function authorize(question: Question): Decision {
  const { set, requests } = requestsOf(question);
  return worstOf(requests.map((request) => decide(set, request)));
}

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
  const facts = set.policies.length > 0 ? activityFacts(submission, organization, now, origin) : [{}];
  const { windows } = set;
  const spending = windows.length > 0 ? spendingOf(facts, signerAddress(submission, organization)) : null;
  const history = historyFacts(windows, organization.counters, spending, now, epochStart);
  const requests = facts.map((each) => ({
    kind: activityKind(submission.type),
    facts: { ...each, approvers, credentials, history },
    initiatorId,
    ...(userId !== undefined && { targetUserId: userId }),
    rootQuorum: organization.settings.rootQuorum,
    others,
  }));
  return { set, requests };
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
  if (windows.length === 0) return next;
  const facts = activityFacts(submission, organization, now, origin);
  const spending = spendingOf(facts, signerAddress(submission, organization));
  const kind = activityKind(submission.type);
  return { ...next, counters: countWindows(next.counters, windows, kind, spending, now) };
}

function policySetOf({ policies }: Organization): PolicySet {
  const known = compiled.get(policies);
  if (known) return known;
  const set = createPolicySet([...policies.values()].map((policy) => compileStored(policy)));
  compiled.set(policies, set);
  return set;
}

/** By what is stored, which never changes in place: of a set in which one policy changes, the others stay. */
const compiledPolicies = new WeakMap<Policy, CompiledPolicy>();

function compileStored(policy: Policy): CompiledPolicy {
  const known = compiledPolicies.get(policy) ?? compileChecked(policy);
  compiledPolicies.set(policy, known);
  return known;
}

/** What was checked when it was stored compiles; if it ever does not, it denies what it might have denied and allows nothing. */
function compileChecked(policy: Policy): CompiledPolicy {
  try {
    return compilePolicy(sourceOf(policy));
  } catch (error) {
    if (!(error instanceof InvalidPolicyError)) throw error;
    const condition = policy.effect === 'EFFECT_ALLOW' ? 'false' : 'true';
    return compilePolicy({ id: policy.id, effect: policy.effect, condition });
  }
}
