import { type Decision, type DecisionRequest, decide } from './decide-policies.ts';
import type { PolicySet } from './policy-set.ts';

/** A decision and what it is about. */
export type Verdict = { readonly decision: Decision; readonly request: DecisionRequest };

/** Of all that an activity asks for at once everything has to be allowed: a denial before what is pending, and that before what is allowed. */
export function decideAll(set: PolicySet, requests: readonly DecisionRequest[], decideOne = decide): Verdict {
  const verdicts = requests.map((request) => ({ decision: decideOne(set, request), request }));
  return verdicts.reduce((worst, each) => (rank(each.decision) > rank(worst.decision) ? each : worst));
}

const rank = ({ outcome, pending }: Decision): number => (outcome === 'OUTCOME_ALLOW' ? 0 : pending ? 1 : 2);
