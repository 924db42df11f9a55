import { CountersignError } from '../../protocol/errors.ts';
import type { explainActivity } from '../../protocol/queries/explain-activity.ts';
import { notFound } from '../activities/refusals.ts';
import type { Answer } from '../effect.ts';
import { explainQuestion } from '../explain-question.ts';
import { policiesChanged } from '../policies-digest.ts';

/** What waits is explained as of now, what is final as of when it became so. */
export const explainActivityAnswer: Answer<typeof explainActivity> = async (
  { organization, now, questions },
  { activityId, fingerprint = '' },
) => {
  const id = activityId ?? (await questions.idOf(fingerprint.slice('sha256:'.length)));
  const record = await questions.record(id);
  if (!record) throw notFound('activityId', 'activity', id);
  const { outcome, decidedBy } = record.facts.decision;
  const at = organization.pending.has(id) ? now : record.updatedAt;
  return {
    activityId: id,
    status: record.status,
    decision: { outcome, decidedBy },
    policiesChanged: policiesChanged(record, organization),
    ...asked(() => explainQuestion(questions.ofRecord(record, record.votes.length, at))),
  };
};

/** What an activity was about may be gone, such as the key that signed. */
function asked<Explained>(ask: () => Explained): { explanation: Explained } | { explanation: null; problem: string } {
  try {
    return { explanation: ask() };
  } catch (error) {
    if (!(error instanceof CountersignError)) throw error;
    return { explanation: null, problem: error.message };
  }
}
