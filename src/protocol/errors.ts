/**
 * The errors of the wire protocol: `google.rpc.Status` bodies with the HTTP status that belongs to each code
 * (google/rpc/code.proto). What is in a `CountersignError` is meant for the caller; everything else is answered as INTERNAL.
 */

/** Names of the google.rpc codes in use, with their number and HTTP status. */
export const codes = {
  INVALID_ARGUMENT: { number: 3, status: 400 },
  DEADLINE_EXCEEDED: { number: 4, status: 504 },
  NOT_FOUND: { number: 5, status: 404 },
  PERMISSION_DENIED: { number: 7, status: 403 },
  RESOURCE_EXHAUSTED: { number: 8, status: 429 },
  FAILED_PRECONDITION: { number: 9, status: 400 },
  UNIMPLEMENTED: { number: 12, status: 501 },
  INTERNAL: { number: 13, status: 500 },
  UNAVAILABLE: { number: 14, status: 503 },
  UNAUTHENTICATED: { number: 16, status: 401 },
} as const;

export type Code = keyof typeof codes;

/** One field of the request that is wrong: its path (`parameters.users.0.userName`) and what was expected there. */
export type FieldViolation = { readonly field: string; readonly description: string };

export type ErrorFacts = {
  /** Turnkey's error code (`ORGANIZATION_MISMATCH`) or one of ours; sent as a `TurnkeyErrorDetail`. */
  readonly reason?: string;
  readonly fields?: readonly FieldViolation[];
  /** Further entries of `details`, each with its `@type`. */
  readonly details?: readonly object[];
  /** HTTP status where it is not the code's own, as 413 for a body that is too large. */
  readonly status?: number;
};

export class CountersignError extends Error {
  override name = 'CountersignError';
  readonly code: Code;
  readonly facts: ErrorFacts;

  constructor(code: Code, message: string, facts: ErrorFacts = {}) {
    super(message);
    this.code = code;
    this.facts = facts;
  }
}

export const invalidArgument = (message: string, facts?: ErrorFacts): CountersignError =>
  new CountersignError('INVALID_ARGUMENT', message, facts);

export const unavailable = (message: string, reason: string): CountersignError =>
  new CountersignError('UNAVAILABLE', message, { reason });

/** The body of an error answer: `{code, message, details}`; `details` is always there, empty or not. */
export type StatusBody = { code: number; message: string; details: unknown[] };

/** HTTP status and body for whatever was thrown; an unexpected error shows nothing of itself. */
export function toStatus(error: unknown): { status: number; body: StatusBody } {
  const known = error instanceof CountersignError ? error : new CountersignError('INTERNAL', 'internal server error');
  const { number, status } = codes[known.code];
  const { reason, fields, details: further = [] } = known.facts;
  const details: unknown[] = [...further];
  if (reason) {
    details.push({ '@type': 'type.googleapis.com/errors.v1.TurnkeyErrorDetail', turnkeyErrorCode: reason });
  }
  if (fields?.length) details.push({ '@type': 'type.googleapis.com/google.rpc.BadRequest', fieldViolations: fields });
  return { status: known.facts.status ?? status, body: { code: number, message: known.message, details } };
}
