/** The body of a submission, parsed: which activity is asked for, where, and with what. */
import { createHmac } from 'node:crypto';
import type { Activity, ActivityVersion } from '../protocol/activities/activity.ts';
import { CountersignError, invalidArgument } from '../protocol/errors.ts';
import { type JsonObject, type JsonValue, parseJson } from '../protocol/json.ts';
import { parseParameters } from '../protocol/parse-parameters.ts';
import { findActivity, findActivityByName } from '../protocol/registry.ts';
import { isUuid, uuidBytes } from '../protocol/uuid.ts';
import { readTimestamp } from './freshness.ts';
import type { Ledger } from './ledger/ledger.ts';
import { completesIntent, readCompletion } from './operation-intent.ts';

export type Submission = {
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
  /** The place in the log that the sender was shown (src/enclave/known-head.ts), as it was given. */
  readonly knownHead?: JsonValue;
  /** Of an intent: what came beside the stamped body to fill it in; among the `parameters` as well. */
  readonly completion?: string;
};

/** Reads what was sent to `/public/v1/submit/<name>`. Throws `CountersignError`s. */
export function readSubmission(name: string, bytes: Uint8Array, completion?: string): Submission {
  const activity = findActivityByName(name);
  if (!activity) {
    throw new CountersignError('UNIMPLEMENTED', `no activity \`${name.slice(0, 100)}\``, { status: 404 });
  }
  const envelope = readEnvelope(bytes);
  const { type, version } = readType(envelope, activity);
  const parameters = parseParameters(version, envelope.parameters);
  const filledIn = completesIntent(name) && completion !== undefined ? readCompletion(completion) : undefined;
  return {
    activity,
    version,
    type,
    organizationId: readOrganizationId(envelope),
    time: readTimestamp(envelope),
    parameters: filledIn ? { ...parameters, completion: filledIn } : parameters,
    given: envelope.parameters,
    body: Buffer.from(bytes),
    ...(envelope.knownHead !== undefined && { knownHead: envelope.knownHead }),
    ...(filledIn && completion && { completion }),
  };
}

export function readEnvelope(bytes: Uint8Array): JsonObject {
  const envelope = parseJson(bytes);
  if (typeof envelope === 'object' && envelope !== null && !Array.isArray(envelope)) return envelope;
  throw invalidArgument('bad request body', { fields: [{ field: 'body', description: 'expected a JSON object' }] });
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

export function readOrganizationId({ organizationId }: JsonObject): string {
  const id = typeof organizationId === 'string' ? organizationId.toLowerCase() : organizationId;
  if (isUuid(id)) return id;
  throw invalidArgument('malformed organization ID provided', {
    reason: 'INVALID_ORGANIZATION_ID',
    fields: [{ field: 'organizationId', description: 'expected a UUID' }],
  });
}

/** 16 bytes by which a body with this SHA-256 (hex) is known to have been carried out. The key keeps the database from guessing bodies. */
export function keyedFingerprint({ keys }: Ledger, organizationId: string, digest: string): Buffer {
  return createHmac('sha256', keys.fingerprint)
    .update(uuidBytes(organizationId))
    .update(digest, 'hex')
    .digest()
    .subarray(0, 16);
}
