import { firstUnmet } from '../../policy/explain.ts';
import type { explainRequest } from '../../protocol/queries/explain-request.ts';
import type { Answer } from '../answer.ts';
import { explainPast } from '../explain-question.ts';

/** As it asked when it was made, by its own `timestampMs`. */
export const explainRequestAnswer: Answer<typeof explainRequest> = async ({ questions }, { request }) => {
  const { activityId, ...past } = await questions.ofRequest(request);
  const { explanation, factsOfNow } = explainPast(past);
  const allowed = explanation.outcome === 'OUTCOME_ALLOW';
  return {
    ...(activityId !== undefined && { activityId }),
    allowed,
    ...explanation,
    unmet: allowed ? [] : firstUnmet(explanation.policies),
    factsOfNow,
  };
};
