import { hash } from 'node:crypto';
import { type JsonObject, parseJson } from '../../protocol/json.ts';
import { withoutNulls } from '../../protocol/parse-parameters.ts';
import type { ActivityObject, UserObject } from '../../protocol/queries/objects.ts';
import { timestamp } from '../../protocol/timestamps.ts';
import type { Recorded, VoteRecord, VoteStamp } from '../activity-record.ts';
import type { Organization, WaitingStatus } from '../state.ts';
import { timesView } from './times.ts';
import { userView } from './user.ts';

/**
 * The activity as clients read it; `organization` is where it was recorded, for the users who voted. `parameters` are
 * those of its body, where the caller has them at hand.
 */
export function activityView(
  record: Recorded & { readonly notBefore?: number | null },
  organization: Organization,
  parameters: unknown = (parseJson(record.body) as JsonObject).parameters,
): ActivityObject {
  const { id, organizationId, status, type, body, facts } = record;
  const message = Buffer.from(body).toString();
  const { userVerified, signCountRegressed } = facts;
  return {
    id,
    organizationId,
    status,
    type,
    intent: { [record.intentKey]: withoutNulls(parameters) },
    result: record.result === null ? {} : { [record.resultKey]: JSON.parse(record.result) },
    votes: record.votes.map((vote) => ({
      id: vote.id,
      userId: vote.userId,
      user: voterView(vote, organization),
      activityId: id,
      selection: vote.selection,
      message: vote.body ? Buffer.from(vote.body).toString() : message,
      ...stampView(vote.stamp),
      createdAt: timestamp(vote.createdAt),
    })),
    appProofs: [],
    fingerprint: `sha256:${hash('sha256', body, 'hex')}`,
    ...(record.notBefore ? { waitsUntil: timestamp(record.notBefore) } : {}),
    canApprove: waiting.has(status),
    // As Turnkey answers for what is completed, too; no client reads it.
    canReject: true,
    failure: record.failure ? { ...record.failure, details: [] } : null,
    ...(userVerified === null ? {} : { facts: { signCountRegressed, userVerified } }),
    ...timesView(record),
  };
}

const waiting: ReadonlySet<string> = new Set<WaitingStatus>([
  'ACTIVITY_STATUS_CONSENSUS_NEEDED',
  'ACTIVITY_STATUS_AUTHENTICATORS_NEEDED',
  'ACTIVITY_STATUS_PENDING',
]);

/** The voter as of now; of one who is gone, no more than the id. */
function voterView({ userId, createdAt }: VoteRecord, { users }: Organization): UserObject {
  const gone = { id: userId, name: '', authenticators: [], apiKeys: [], tagIds: [], createdAt, updatedAt: createdAt };
  return userView(users.get(userId) ?? gone);
}

/** A passkey's `signature` is the stamp itself, as in `X-Stamp-Webauthn`: a signature alone could not be verified. */
function stampView(stamp: VoteStamp): { publicKey: string; signature: string; scheme: string } {
  if (stamp.kind === 'apiKey') {
    return { publicKey: stamp.publicKey, signature: stamp.signature, scheme: stamp.scheme };
  }
  const signature = JSON.stringify({
    authenticatorData: base64url(stamp.authenticatorData),
    clientDataJson: base64url(stamp.clientDataJson),
    credentialId: stamp.credentialId,
    signature: base64url(stamp.signature),
  });
  return { publicKey: base64url(stamp.publicKey), signature, scheme: 'SIGNATURE_SCHEME_TK_WEBAUTHN' };
}

const base64url = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');
