/** When a body was made: within the hour in which it is good, and not before an accepted restore. */
import { invalidArgument } from '../protocol/errors.ts';
import type { JsonObject } from '../protocol/json.ts';
import { bodyLead, bodyLifetime } from './ledger/fingerprints.ts';

/** Unix ms, from `timestampMs`. */
export function readTimestamp({ timestampMs }: JsonObject): number {
  if (typeof timestampMs === 'string' && /^\d{1,15}$/.test(timestampMs)) return Number(timestampMs);
  throw invalidArgument('bad request body', {
    fields: [{ field: 'timestampMs', description: 'expected Unix milliseconds as a string of digits' }],
  });
}

/** All in Unix ms; throws INVALID_ARGUMENT with the reason INVALID_TIME. */
export function assertFresh(time: number, now: number, epochStart: number): void {
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
