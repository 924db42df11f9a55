/** What another set of policies would change about activities that are known: both sets decide on the same facts. */
import { decideAll, type Verdict } from './decide-all.ts';
import { type Decision, type DecisionRequest, decide } from './decide-policies.ts';
import { type DecidingPart, decidingParts } from './explain.ts';
import type { PolicySet } from './policy-set.ts';

/** What becomes of an activity that becomes something else. */
export type Change = 'none' | 'denied' | 'allowed' | 'needs-approvals';

export type Replayed = { readonly change: Change; readonly before: Verdict; readonly after: Verdict };

/** What a set decides, as it is told. */
export type Side = {
  readonly outcome: Decision['outcome'];
  readonly pending: boolean;
  /** Id of a policy, or the name of the rule. */
  readonly decidedBy: string | null;
  readonly reason: string;
  /** What made it come out so; empty where nothing changes. */
  readonly parts: readonly DecidingPart[];
};

/** `requests` are all that one activity asks for. */
export function replay(
  before: PolicySet,
  after: PolicySet,
  requests: readonly DecisionRequest[],
  decideOne = decide,
): Replayed {
  const sides = { before: decideAll(before, requests, decideOne), after: decideAll(after, requests, decideOne) };
  const [was, is] = [stateOf(sides.before.decision), stateOf(sides.after.decision)];
  return { change: was === is ? 'none' : is, ...sides };
}

const stateOf = ({ outcome, pending }: Decision): Exclude<Change, 'none'> =>
  outcome === 'OUTCOME_ALLOW' ? 'allowed' : pending ? 'needs-approvals' : 'denied';

/** What was replayed with these sets, as it is told. */
export function sidesOf(
  { change, before, after }: Replayed,
  sets: { readonly before: PolicySet; readonly after: PolicySet },
): { readonly before: Side; readonly after: Side } {
  const tell = (set: PolicySet, verdict: Verdict) => sideOf(set, verdict, change !== 'none');
  return { before: tell(sets.before, before), after: tell(sets.after, after) };
}

function sideOf(set: PolicySet, { decision, request }: Verdict, explained: boolean): Side {
  const { outcome, pending, decidedBy, reason } = decision;
  return {
    outcome,
    pending,
    decidedBy: typeof decidedBy === 'object' ? (decidedBy?.policyId ?? null) : decidedBy,
    reason,
    parts: explained ? decidingParts(set, request, decision) : [],
  };
}
