import { CountersignError } from '../../protocol/errors.ts';
import type { explainActivity } from '../../protocol/queries/explain-activity.ts';
import { notFound } from '../activities/refusals.ts';
import type { Answer } from '../answer.ts';
import { explainPast } from '../explain-question.ts';
import { policiesChanged } from '../policies-digest.ts';

/** What waits is explained as of now, what is final as of when it became so. */
export const explainActivityAnswer: Answer<typeof explainActivity> = async (
  { organization, questions },
  { activityId, fingerprint = '' },
) => {
  const id = activityId ?? (await questions.idOf(fingerprint.slice('sha256:'.length)));
  const record = await questions.record(id);
  if (!record) throw notFound('activityId', 'activity', id);
  const { outcome, decidedBy } = record.facts.decision;
  return {
    activityId: id,
    status: record.status,
    decision: { outcome, decidedBy },
    policiesChanged: policiesChanged(record, organization),
    ...asked(() => explainPast(questions.ofPast(record))),
  };
};

type Asked<T> = T | { explanation: null; problem: string; factsOfNow: [] };

/** What an activity was about may be gone, such as the key that signed. */
function asked<T>(ask: () => T): Asked<T> {
  try {
    return ask();
  } catch (error) {
    if (!(error instanceof CountersignError)) throw error;
    return { explanation: null, problem: error.message, factsOfNow: [] };
  }
}
