import type { ActivityObject } from '../../../src/protocol/queries/objects.ts';
import type { AnswerVerifier } from '../answer.ts';
import { CountersignClientError } from '../error.ts';
import type { Trusted } from './signed-state.ts';
import type { Step } from './step.ts';
import { verifyReceipt } from './verify-receipt.ts';

/**
 * Has a client believe no more than receipts prove: a result that came without the receipt of this very request, signed for by
 * this log, is not given to the caller. The call then rejects with the code `UNVERIFIED`, whose `details` are the steps.
 *
 * ```ts
 * const client = createClient({ baseUrl, organizationId, stamp, verify: answerVerifier({ logKey }) });
 * ```
 */
export const answerVerifier =
  (trusted: Trusted & { readonly logKey: string }): AnswerVerifier =>
  async (answer, body) => {
    const { activity } = answer as { activity: ActivityObject };
    // What is not completed has no result, and is no answer for the caller either.
    if (activity.status !== 'ACTIVITY_STATUS_COMPLETED') return;
    const [result = null] = Object.values(activity.result);
    const { ok, steps, claims } = await verifyReceipt(answer as object, { ...trusted, body, result });
    const failed =
      steps.find((step) => step.ok === false) ?? (ok && claims ? otherActivity(activity, claims) : undefined);
    if (!failed) return;
    throw new CountersignClientError(`the answer is not proven: ${failed.words}`, {
      code: 'UNVERIFIED',
      details: steps,
      status: 200,
    });
  };

/** What surrounds the result in an answer has to be what was claimed, too. */
function otherActivity(
  { id, organizationId, type, status }: ActivityObject,
  claims: { activity: string; organization: string; type: string; status: string },
): Step | undefined {
  const isSame =
    id === claims.activity &&
    organizationId === claims.organization &&
    type === claims.type &&
    status === claims.status;
  return isSame ? undefined : { name: 'receipt', ok: false, words: 'the receipt is of another activity' };
}
