/**
 * Carries out a stamped request: schema → stamp → who, and the right to submit → idempotency → policies → effect → the
 * transition joins the open batch (DESIGN §4, "One request", step 2).
 */
import { createHmac, hash, randomBytes, randomUUID } from 'node:crypto';
import { activityKind } from '../policy/activity-kind.ts';
import { decide } from '../policy/decide.ts';
import type { Activity, ActivityVersion } from '../protocol/activities/activity.ts';
import { CountersignError, invalidArgument, unavailable } from '../protocol/errors.ts';
import { type JsonObject, parseJson } from '../protocol/json.ts';
import type { RequestMessage } from '../protocol/messages.ts';
import { parseParameters } from '../protocol/parse-parameters.ts';
import { findActivity, findActivityByName } from '../protocol/registry.ts';
import { isUuid, uuidBytes, uuidText } from '../protocol/uuid.ts';
import { type AnyEffect, findEffect } from './activities/index.ts';
import { type ActivityRecord, stampOf } from './activity-record.ts';
import { bodyLead, bodyLifetime, findFingerprint, minuteOf } from './ledger/fingerprints.ts';
import type { Opened } from './ledger/organizations.ts';
import type { Transition } from './ledger/transition.ts';
import { type Caller, readStamp, resolveCaller } from './resolve-caller.ts';
import { type Service, uuidV7 } from './service.ts';
import type { Counters, Organization } from './state.ts';
import { activityView } from './views/activity.ts';

type Submission = {
  readonly activity: Activity;
  readonly version: ActivityVersion;
  readonly type: string;
  readonly organizationId: string;
  /** Unix ms, from `timestampMs`. */
  readonly time: number;
  readonly parameters: unknown;
  /** The parameters as they were given. */
  readonly given: unknown;
  readonly body: Buffer;
};

/** A record as the ledger takes it. */
type Recorded = NonNullable<Transition['activity']>;

/** What was carried out, or the id of the activity that the same body was before. */
type Done = { readonly target: Opened } & ({ readonly record: Recorded } | { readonly id: string });

/** The answer's JSON value. Throws `CountersignError`s. */
export async function submit(service: Service, request: RequestMessage): Promise<unknown> {
  const submission = readSubmission(request);
  const stamp = readStamp(request.stamp);
  const done = await service.exclusively<Done>(submission.organizationId, async () => {
    const target = await service.loadExisting(submission.organizationId);
    const caller = await resolveCaller(service, target, stamp, submission.body);
    assertMember(caller, target);
    assertFresh(submission.time, service.now(), service.ledger.epochStart());
    const fingerprint = keyedFingerprint(service, submission);
    const minute = minuteOf(submission.time);
    await service.ledger.organizations.fillFingerprints(target, minute);
    const repeated = findFingerprint(target.fingerprints.get(minute), fingerprint);
    if (repeated) return { target, id: uuidText(repeated) };
    authorize(submission, caller);
    const record = await carryOut(service, submission, caller, fingerprint);
    return { target, record };
  });
  const record = 'record' in done ? done.record : await readRepeated(service, done.target, done.id);
  return { activity: activityView(record, done.target.organization, submission.given) };
}

function readSubmission(request: RequestMessage): Submission {
  const body = Buffer.from(request.body);
  const activity = findActivityByName(request.name);
  if (!activity) {
    throw new CountersignError('UNIMPLEMENTED', `no activity \`${request.name.slice(0, 100)}\``, { status: 404 });
  }
  const envelope = parseJson(body);
  if (typeof envelope !== 'object' || envelope === null || Array.isArray(envelope)) {
    throw invalidArgument('bad request body', { fields: [{ field: 'body', description: 'expected a JSON object' }] });
  }
  const { type, version } = readType(envelope, activity);
  const organizationId = readOrganizationId(envelope);
  const time = readTimestamp(envelope);
  const parameters = parseParameters(version, envelope.parameters);
  return { activity, version, type, organizationId, time, parameters, given: envelope.parameters, body };
}

function readType(envelope: JsonObject, activity: Activity): { type: string; version: ActivityVersion } {
  const { type } = envelope;
  const expected = Object.keys(activity.versions).join(', ');
  const found = typeof type === 'string' ? findActivity(type) : undefined;
  if (typeof type !== 'string' || found?.activity !== activity) {
    throw invalidArgument('bad request body', {
      fields: [{ field: 'type', description: `expected one of ${expected}` }],
    });
  }
  return { type, version: found.version };
}

export function readOrganizationId(envelope: JsonObject): string {
  const { organizationId } = envelope;
  const id = typeof organizationId === 'string' ? organizationId.toLowerCase() : organizationId;
  if (isUuid(id)) return id;
  throw invalidArgument('malformed organization ID provided', {
    reason: 'INVALID_ORGANIZATION_ID',
    fields: [{ field: 'organizationId', description: 'expected a UUID' }],
  });
}

function readTimestamp(envelope: JsonObject): number {
  const { timestampMs } = envelope;
  if (typeof timestampMs === 'string' && /^\d{1,15}$/.test(timestampMs)) return Number(timestampMs);
  throw invalidArgument('bad request body', {
    fields: [{ field: 'timestampMs', description: 'expected Unix milliseconds as a string of digits' }],
  });
}

function assertMember(caller: Caller, target: Opened): void {
  if (caller.opened === target) return;
  const [wanted, found] = [target.organization.id, caller.opened.organization.id];
  throw invalidArgument(
    `organization mismatch: request is targeting organization ("${wanted}"), but voters are in organization ("${found}")`,
    { reason: 'ORGANIZATION_MISMATCH' },
  );
}

function assertFresh(time: number, now: number, epochStart: number): void {
  const refuse = (description: string) => {
    throw invalidArgument(`invalid timestampMs: ${description}`, {
      reason: 'INVALID_TIME',
      fields: [{ field: 'timestampMs', description }],
    });
  };
  if (time <= now - bodyLifetime) refuse('expected a time within the last hour');
  if (time > now + bodyLead) refuse('expected a time at most 5 minutes in the future');
  if (time < epochStart) refuse('the request was made before the state was restored; make it anew');
}

/** The key keeps the database from guessing bodies. */
function keyedFingerprint({ ledger }: Service, { organizationId, body }: Submission): Buffer {
  return createHmac('sha256', ledger.keys.fingerprint)
    .update(uuidBytes(organizationId))
    .update(hash('sha256', body, 'hex'), 'hex')
    .digest()
    .subarray(0, 16);
}

async function readRepeated(service: Service, target: Opened, id: string): Promise<ActivityRecord> {
  const [record] = await service.readActivities(target, [id]);
  if (record) return record;
  throw unavailable(`activity ${id} is missing in the database`, 'ROW_INTEGRITY');
}

function authorize({ type, parameters }: Submission, { user, opened }: Caller): void {
  const { userId } = parameters as { userId?: string };
  const { outcome, reason } = decide({
    activity: { kind: activityKind(type), ...(userId !== undefined && { targetUserId: userId }) },
    callerId: user.id,
    rootQuorum: opened.organization.settings.rootQuorum,
  });
  if (outcome === 'OUTCOME_ALLOW') return;
  throw new CountersignError('PERMISSION_DENIED', `request not authorized: ${reason}`, {
    reason: 'REQUEST_NOT_AUTHORIZED',
  });
}

async function carryOut(
  service: Service,
  submission: Submission,
  caller: Caller,
  fingerprint: Buffer,
): Promise<Recorded> {
  const { opened: target, user } = caller;
  const { organization } = target;
  const now = service.now();
  const outcome = await effectOf(submission.activity)(
    {
      organization,
      caller: user,
      now,
      newId: randomUUID,
      random: randomBytes,
      withKey: service.withKey(target),
      passkeys: service.passkeyRules(organization),
      identities: { find: service.findIdentity },
    },
    submission.parameters,
  );
  const { counters, regressed } = countUse(organization.counters, caller);
  const next: Organization = { ...(outcome.organization ?? organization), counters };
  const record = recordOf(submission, caller, outcome.result, regressed, now);
  const transitions: Transition[] = [
    {
      from: target,
      to: next,
      keys: outcome.keys ?? [],
      removedKeys: outcome.removedKeys ?? [],
      activity: record,
      body: { time: submission.time, fingerprint },
    },
    ...(outcome.created ?? []).map((created) => ({ from: null, to: created })),
  ];
  try {
    service.ledger.append(transitions, [], service.othersUnderway());
  } finally {
    for (const { secret } of outcome.keys ?? []) secret.fill(0);
  }
  return record;
}

function effectOf({ name }: Activity): AnyEffect {
  const effect = findEffect(name);
  if (effect) return effect;
  throw new CountersignError('UNIMPLEMENTED', `activity \`${name}\` has no effect`);
}

/** WebAuthn L3 §7.2 step 22: a count that does not rise is noted, not refused, for requests may overtake one another. */
function countUse(counters: Counters, caller: Caller): { counters: Counters; regressed: boolean } {
  if (caller.credential.kind !== 'passkey' || !caller.assertion) return { counters, regressed: false };
  const { id } = caller.credential.authenticator;
  const stored = counters.signCounts[id] ?? 0;
  const seen = caller.assertion.signCount;
  const regressed = (seen > 0 || stored > 0) && seen <= stored;
  if (seen <= stored) return { counters, regressed };
  return { counters: { ...counters, signCounts: { ...counters.signCounts, [id]: seen } }, regressed };
}

function recordOf(
  { type, version, organizationId, body }: Submission,
  { user, credential, assertion }: Caller,
  result: object,
  signCountRegressed: boolean,
  now: number,
): Recorded {
  return {
    id: uuidV7(now),
    organizationId,
    type,
    status: 'ACTIVITY_STATUS_COMPLETED',
    body,
    intentKey: version.intent,
    resultKey: version.result,
    result: JSON.stringify(result),
    votes: [
      {
        id: randomUUID(),
        userId: user.id,
        stamp: stampOf(credential),
        selection: 'VOTE_SELECTION_APPROVED',
        createdAt: now,
      },
    ],
    facts: { signCountRegressed, userVerified: assertion?.userVerified ?? null },
    createdAt: now,
    updatedAt: now,
  };
}
