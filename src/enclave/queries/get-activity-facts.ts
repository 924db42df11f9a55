import { conditionSchema } from '../../policy/schema/condition.ts';
import { consensusSchema } from '../../policy/schema/consensus.ts';
import { timeSchema } from '../../policy/schema/time.ts';
import type { Facts } from '../../policy/values.ts';
import type { History } from '../../policy/windows.ts';
import { writeFacts, writeHistory } from '../../policy/write-facts.ts';
import type { getActivityFacts } from '../../protocol/queries/get-activity-facts.ts';
import { notFound } from '../activities/refusals.ts';
import type { Answer } from '../answer.ts';
import { type Question, requestsOf } from '../authorize.ts';
import { activityFacts } from '../policy-facts.ts';

const schema = { ...conditionSchema, ...timeSchema };
const { approvers, credentials } = consensusSchema;
const votersSchema = { ...(approvers && { approvers }), ...(credentials && { credentials }) };

/** What waits is told as of now, what is final as of when it became so. */
export const getActivityFactsAnswer: Answer<typeof getActivityFacts> = async (
  { organization, questions },
  { activityId },
) => {
  const record = await questions.record(activityId);
  if (!record) throw notFound('activityId', 'activity', activityId);
  const { question, factsOfNow } = questions.ofPast(record);
  const { threshold, userIds } = organization.settings.rootQuorum;
  const cases = casesOf(question).map((given) => ({ ...given, rootQuorum: { threshold, userIds: [...userIds] } }));
  return { activityId, status: record.status, cases, factsOfNow: [...factsOfNow] };
};

const casesOf = (question: Question) =>
  factsOf(question).map((facts) => ({
    facts: {
      ...writeFacts(schema, facts),
      ...(facts.history && { history: writeHistory(facts.history as History) }),
    },
    ...(writeFacts(votersSchema, facts) as { approvers: Json[]; credentials: Json[] }),
  }));

type Json = { [name: string]: unknown };

/** Also where there are no policies yet, for which nothing is decoded. */
function factsOf(question: Question): readonly Facts[] {
  const { set, requests } = requestsOf(question);
  if (set.policies.length > 0) return requests.map(({ facts }) => facts);
  const { submission, organization, approvals, now, origin } = question;
  const voters = { approvers: approvals.approvers, credentials: approvals.credentials };
  return activityFacts(submission, organization, now, origin).map((facts) => ({ ...facts, ...voters }));
}
