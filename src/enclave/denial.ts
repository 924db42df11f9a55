import type { Decision } from '../policy/decide-policies.ts';
import { CountersignError } from '../protocol/errors.ts';

/** Turnkey's answer to what policies do not allow: `details` stays empty (facts are for `explain`). */
export function denied({ outcome, reason }: Decision): CountersignError {
  const explicitly = outcome === 'OUTCOME_DENY_EXPLICIT';
  const message = explicitly ? 'policy engine denied request explicitly' : `request not authorized: ${reason}`;
  return new CountersignError('PERMISSION_DENIED', message);
}
