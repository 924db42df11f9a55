/** What the policies of now say about an activity, and why. */
import { decide, policyOutcomes } from '../policy/decide-policies.ts';
import type { Outcome } from '../policy/evaluate-policy.ts';
import { type Explanation, explain } from '../policy/explain.ts';
import { authorize, type Question, requestsOf, worstOf } from './authorize.ts';
import type { FactOfNow, PastQuestion } from './past-question.ts';

/** Of several payloads that an activity signs, the explanation is about the one that decides. Throws as `authorize` does. */
export function explainQuestion(question: Question): Explanation {
  const verdict = authorize(question);
  // Where authenticators are missing, nothing of that is in the policies.
  const claimed = question.authentication?.claimed ?? question.approvals;
  const { set, requests } = requestsOf({ ...question, approvals: claimed });
  const decisions = requests.map((request) => decide(set, request));
  const decision = worstOf(decisions);
  const request = requests[decisions.indexOf(decision)] as (typeof requests)[number];
  const { policies } = question.organization;
  return explain(set, request, verdict, (id) => policies.get(id)?.name ?? '');
}

/** Who else could approve matters only to what waits. Throws as `authorize` does. */
export function explainPast({ question, factsOfNow }: PastQuestion): {
  readonly explanation: Explanation;
  readonly factsOfNow: readonly FactOfNow[];
} {
  const explanation = explainQuestion(question);
  return { explanation, factsOfNow: factsOfNow.filter((fact) => explanation.pending || fact !== 'others') };
}

/** From what stands least in the way to what does most. */
const severity: readonly Outcome[] = [
  'OUTCOME_ALLOW',
  'OUTCOME_REQUIRES_CONSENSUS',
  'OUTCOME_TIME_INACTIVE',
  'OUTCOME_DENY_IMPLICIT',
  'OUTCOME_ERROR',
  'OUTCOME_DENY_EXPLICIT',
];

/** What becomes of each policy; of several payloads the worst counts. Throws as `authorize` does. */
export function outcomesOf(question: Question): { readonly policyId: string; readonly outcome: Outcome }[] {
  const { set, requests } = requestsOf(question);
  const each = requests.map((request) => policyOutcomes(set, request));
  return set.policies.map(({ id }, index) => {
    const found = each.map((outcomes) => severity.indexOf(outcomes[index]?.outcome ?? 'OUTCOME_ERROR'));
    return { policyId: id, outcome: severity[Math.max(...found)] as Outcome };
  });
}
