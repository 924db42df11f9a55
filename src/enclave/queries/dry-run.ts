import { firstUnmet } from '../../policy/explain.ts';
import { invalidArgument } from '../../protocol/errors.ts';
import { parseParameters } from '../../protocol/parse-parameters.ts';
import type { dryRun } from '../../protocol/queries/dry-run.ts';
import { findActivity } from '../../protocol/registry.ts';
import { within } from '../activities/refusals.ts';
import type { Answer } from '../answer.ts';
import { explainQuestion } from '../explain-question.ts';
import { guardDelay } from '../guard-delay.ts';
import type { Submission } from '../submission.ts';

/** Asks the policies alone: what an effect would refuse, such as a name that is taken, it does not find. */
export const dryRunAnswer: Answer<typeof dryRun> = ({ organization, now, questions }, { activity }) => {
  const submission = submissionOf(activity, organization.id, now);
  const explanation = explainQuestion(questions.ofCaller(submission));
  return {
    allowed: explanation.outcome === 'OUTCOME_ALLOW',
    ...explanation,
    policyEvaluations: explanation.policies.map(({ policyId, outcome }) => ({ policyId, outcome })),
    unmet: explanation.outcome === 'OUTCOME_ALLOW' ? [] : firstUnmet(explanation.policies),
    delaySeconds: guardDelay(submission, organization) / 1000,
  };
};

type Given = { readonly type: string; readonly parameters: unknown };

/** As it would be submitted now. Throws INVALID_ARGUMENT that names what is wrong. */
function submissionOf({ type, parameters: given }: Given, organizationId: string, now: number): Submission {
  const found = findActivity(type);
  if (!found) {
    throw invalidArgument('bad request body', {
      fields: [{ field: 'activity.type', description: 'expected the type of an activity' }],
    });
  }
  const parameters = within('activity', () => parseParameters(found.version, given));
  return { ...found, type, organizationId, time: now, parameters, given, body: Buffer.alloc(0) };
}
