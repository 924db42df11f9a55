/** Whether an activity may take effect now, by the root quorum and the policies of its organization. */
import { activityKind } from '../policy/activity-kind.ts';
import { type Decision, decide } from '../policy/decide-policies.ts';
import { compilePolicy, createPolicySet, InvalidPolicyError, type PolicySet } from '../policy/policy-set.ts';
import { sourceOf } from './activities/policies.ts';
import { activityFacts } from './policy-facts.ts';
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
};

/**
 * The decision about all that an activity does: of several payloads every one has to be allowed. Throws what is wrong with
 * what would be signed.
 */
export function authorize({ submission, organization, approvals, initiatorId, origin, now }: Question): Decision {
  const set = policySetOf(organization);
  const { userId } = submission.parameters as { userId?: string };
  const { approvers, credentials, others } = approvals;
  // What nothing asks about need not be decoded.
  const facts = set.policies.length > 0 ? activityFacts(submission, organization, now, origin) : [{}];
  const decisions = facts.map((each) =>
    decide(set, {
      kind: activityKind(submission.type),
      facts: { ...each, approvers, credentials },
      initiatorId,
      ...(userId !== undefined && { targetUserId: userId }),
      rootQuorum: organization.settings.rootQuorum,
      others,
    }),
  );
  return worstOf(decisions);
}

/** A denial before what is pending, and that before what is allowed. */
function worstOf(decisions: readonly Decision[]): Decision {
  const rank = ({ outcome, pending }: Decision) => (outcome === 'OUTCOME_ALLOW' ? 0 : pending ? 1 : 2);
  return decisions.reduce((worst, each) => (rank(each) > rank(worst) ? each : worst));
}

/** By the map of policies that they were compiled from, which never changes in place. */
const compiled = new WeakMap<object, PolicySet>();

function policySetOf({ policies }: Organization): PolicySet {
  const known = compiled.get(policies);
  if (known) return known;
  const set = createPolicySet([...policies.values()].map((policy) => compileStored(policy)));
  compiled.set(policies, set);
  return set;
}

/** What was checked when it was stored compiles; if it ever does not, it denies what it might have denied and allows nothing. */
function compileStored(policy: Policy) {
  try {
    return compilePolicy(sourceOf(policy));
  } catch (error) {
    if (!(error instanceof InvalidPolicyError)) throw error;
    const condition = policy.effect === 'EFFECT_ALLOW' ? 'false' : 'true';
    return compilePolicy({ id: policy.id, effect: policy.effect, condition });
  }
}
