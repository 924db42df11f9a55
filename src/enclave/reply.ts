/** The answer to a request as it leaves: it has waited for what it was computed from, and carries the evidence that was asked for. */
import { CountersignError, toStatus, unavailable } from '../protocol/errors.ts';
import type { RequestMessage } from '../protocol/messages.ts';
import type { ActivityObject } from '../protocol/queries/objects.ts';
import { OpaqueBucketError } from './ledger/merkle-map.ts';
import { proveRead, type ReadState } from './read-proof.ts';
import { asAnswer, type Service } from './service.ts';

/** `receipt`: of a submission its receipt, of a query the proof that the answer is about the current state. */
export type Reply = { readonly status: number; readonly body: Buffer; readonly receipt?: Buffer };

/** What was carried out or found: the answer's JSON value, and of a query what it was read from. */
export type Answered = { readonly value: object; readonly read?: ReadState };

/** Times that a query is answered anew because its organization changed before that could be proven. */
const attempts = 5;

/**
 * Carries out a request and makes the reply. Rejects with an `OpaqueBucketError` where it depends on rows that the database
 * does not show; whatever else goes wrong is a reply.
 */
export async function reply(
  service: Service,
  request: RequestMessage,
  carryOut: () => Promise<Answered>,
): Promise<Reply> {
  try {
    for (let attempt = 0; attempt < attempts; attempt++) {
      const answered = await carryOut().catch((error: unknown) => error as Error);
      await service.ledger.settled();
      const made = answered instanceof Error ? refusalOf(answered) : { status: 200, body: toBody(answered.value) };
      if (!request.proof) return made;
      const evident = await withEvidence(service, request, answered, made);
      if (evident) return evident;
    }
    throw unavailable('the organization changes too fast to prove an answer about it; ask again', 'CONFLICT');
  } catch (error) {
    return refusalOf(error);
  }
}

/** An error as callers see it. Faults that nobody foresaw go to the log, without the request. */
export function refusalOf(error: unknown): Reply {
  if (error instanceof OpaqueBucketError) throw error;
  const known = error instanceof CountersignError || asAnswer(error) !== error;
  if (!known) console.error('unexpected error in the enclave:', error);
  const { status, body } = toStatus(asAnswer(error));
  return { status, body: toBody(body) };
}

const toBody = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

/** Undefined when the organization has changed since the answer was made. */
async function withEvidence(
  service: Service,
  request: RequestMessage,
  answered: Answered | Error,
  made: Reply,
): Promise<Reply | undefined> {
  if (request.kind === 'submit') {
    return answered instanceof Error
      ? made
      : withReceipt(service, answered.value as { activity: ActivityObject }, made);
  }
  // Proofs are for who may read: of an organization that is not there nobody's stamp can be verified.
  if (answered instanceof Error || !answered.read) return made;
  const receipt = await proveRead(service.ledger, request, answered.read, made.body);
  return receipt && { ...made, receipt };
}

/** The receipt is in the answer, too. An activity that waits has none yet. */
async function withReceipt(service: Service, value: { activity: ActivityObject }, made: Reply): Promise<Reply> {
  const { id, organizationId, canApprove } = value.activity;
  const opened = canApprove ? undefined : await service.load(organizationId);
  const receipt = opened && (await service.receipt(opened, id));
  return receipt ? { ...made, body: withMember(made.body, receipt), receipt } : made;
}

/** A JSON object with one more member, without making the JSON again. */
const withMember = (object: Buffer, receipt: Buffer): Buffer =>
  Buffer.concat([object.subarray(0, -1), Buffer.from(`,"receipt":"${receipt.toString('base64url')}"}`)]);
