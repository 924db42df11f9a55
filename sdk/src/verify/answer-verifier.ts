import type { ActivityObject } from '../../../src/protocol/queries/objects.ts';
import type { AnswerVerifier, KnownHead } from '../answer.ts';
import { CountersignClientError } from '../error.ts';
import type { KeyStore } from '../key-store.ts';
import { resultIn } from './result-in.ts';
import type { Trusted } from './signed-state.ts';
import type { Step } from './step.ts';
import { verifyReceipt } from './verify-receipt.ts';

/** Where what was shown is kept; `openKeyStore` keeps it beyond the page. */
type Heads = Pick<KeyStore<KnownHead>, 'get' | 'put'>;

/**
 * Has a client believe no more than receipts prove: a result that came without the receipt of this very request, signed for by
 * this log, is not given to the caller. The call then rejects with the code `UNVERIFIED`, whose `details` are the steps. What a
 * receipt has shown of the log goes along with the next request, so that a service that was rolled back refuses it, with the
 * reason `STATE_ROLLED_BACK` or `FORK_DETECTED`: it is kept in `heads`, in memory by default.
 *
 * ```ts
 * const verify = answerVerifier({ logKey, heads: openKeyStore() });
 * const client = createClient({ baseUrl, organizationId, stamp, verify });
 * ```
 */
export function answerVerifier({
  heads = inMemory(),
  ...trusted
}: Trusted & { readonly logKey: string; readonly heads?: Heads }): AnswerVerifier {
  const nameOf = (organizationId: string): string => `${trusted.logKey}/${organizationId}`;
  return {
    knownHead: (organizationId) => heads.get(nameOf(organizationId)),
    async check(answer, body) {
      const { activity } = answer as { activity: ActivityObject };
      // What is not completed has no result, and is no answer for the caller either.
      if (activity.status !== 'ACTIVITY_STATUS_COMPLETED') return;
      const result = resultIn(activity.result) ?? null;
      const { ok, steps, claims, place } = await verifyReceipt(answer as object, { ...trusted, body, result });
      const failed =
        steps.find((step) => step.ok === false) ?? (ok && claims ? otherActivity(activity, claims) : undefined);
      if (failed) throw unverified(failed, steps);
      if (place) await remember(nameOf(activity.organizationId), place);
    },
  };

  /** Answers may overtake one another. */
  async function remember(name: string, { size, index, leaf }: KnownHead): Promise<void> {
    const known = await heads.get(name);
    if (!known || size > known.size) await heads.put(name, { size, index, leaf });
  }
}

function inMemory(): Heads {
  const heads = new Map<string, KnownHead>();
  return { get: async (name) => heads.get(name), put: async (name, head) => void heads.set(name, head) };
}

const unverified = (failed: Step, steps: readonly Step[]): CountersignClientError =>
  new CountersignClientError(`the answer is not proven: ${failed.words}`, {
    code: 'UNVERIFIED',
    details: steps,
    status: 200,
  });

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
