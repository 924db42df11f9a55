import { CountersignError } from '../../protocol/errors.ts';
import type { getPolicyEvaluations } from '../../protocol/queries/get-policy-evaluations.ts';
import { timestamp } from '../../protocol/timestamps.ts';
import { notFound } from '../activities/refusals.ts';
import type { Answer } from '../answer.ts';
import type { Question } from '../authorize.ts';
import { outcomesOf } from '../explain-question.ts';
import { policiesChanged } from '../policies-digest.ts';
import type { Organization } from '../state.ts';

/** Votes that are evaluated, the newest: each asks all policies. */
const maxVotes = 100;

/** As each vote found it: the votes up to it, at its time, before the policies of now. */
export const getPolicyEvaluationsAnswer: Answer<typeof getPolicyEvaluations> = async (
  { organization, questions },
  { activityId },
) => {
  const record = await questions.record(activityId);
  if (!record) throw notFound('activityId', 'activity', activityId);
  const evaluations = record.votes.map((vote, index) => ({ vote, votes: index + 1 })).slice(-maxVotes);
  return {
    policyEvaluations: evaluations.map(({ vote, votes }) => ({
      id: vote.id,
      activityId,
      organizationId: organization.id,
      voteId: vote.id,
      policyEvaluations: outcomesOrErrors(organization, () => questions.ofRecord(record, votes, vote.createdAt)),
      createdAt: timestamp(vote.createdAt),
    })),
    ...(policiesChanged(record, organization) && { policiesChanged: true }),
  };
};

/** What an activity was about may be gone, such as the key that signed: then no policy can say anything about it. */
function outcomesOrErrors({ policies }: Organization, ask: () => Question): ReturnType<typeof outcomesOf> {
  try {
    return outcomesOf(ask());
  } catch (error) {
    if (!(error instanceof CountersignError)) throw error;
    return [...policies.keys()].map((policyId) => ({ policyId, outcome: 'OUTCOME_ERROR' }));
  }
}
