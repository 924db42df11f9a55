import type { getMfaStatus } from '../../protocol/queries/get-mfa-status.ts';
import { notFound } from '../activities/refusals.ts';
import type { Answer } from '../answer.ts';
import { stepsView } from '../views/mfa-policy.ts';

/** Of what waits, by the policies of now; what is final needs nothing any more. */
export const getMfaStatusAnswer: Answer<typeof getMfaStatus> = async (
  { organization, now, questions },
  { activityId, userId },
) => {
  const record = await questions.record(activityId);
  if (!record) throw notFound('activityId', 'activity', activityId);
  if (!organization.pending.has(activityId)) return { mfaStatuses: [] };
  const { authentication } = questions.ofRecord(record, record.votes.length, now);
  const asked = (authentication?.mfa ?? []).filter((status) => (userId ?? status.userId) === status.userId);
  return {
    mfaStatuses: asked.map(({ policy, satisfied, isSatisfied, ...status }) => ({
      mfaPolicyId: policy.id,
      userId: status.userId,
      satisfied: isSatisfied,
      satisfiedMethods: satisfied.map((method) => ({ ...method })),
      requiredMethods: stepsView(policy.steps),
    })),
  };
};
