/** What went wrong, for the person in front of the page. */
export type ErrorKind =
  | 'invalid'
  | 'signed-out'
  | 'email-taken'
  | 'sponsor'
  | 'policy'
  | 'chain'
  | 'refused'
  | 'internal';

const statuses: Readonly<Record<ErrorKind, number>> = {
  invalid: 400,
  'signed-out': 401,
  'email-taken': 409,
  sponsor: 403,
  policy: 403,
  chain: 503,
  refused: 403,
  internal: 500,
};

/** `reason` says more than most people want to read, such as which policy denied by which sub-expression. */
export class AppError extends Error {
  readonly kind: ErrorKind;
  readonly status: number;
  readonly reason: string | undefined;

  constructor(kind: ErrorKind, message: string, { reason, ...options }: ErrorOptions & { reason?: string } = {}) {
    super(message, options);
    this.kind = kind;
    this.reason = reason;
    this.status = statuses[kind];
  }
}
