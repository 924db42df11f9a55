/** A request that was refused, or that nobody answered. */
export class CountersignClientError extends Error {
  override name = 'CountersignClientError';
  /**
   * Name of the google.rpc code, such as `PERMISSION_DENIED`; `UNAVAILABLE` without an answer; `ACTIVITY_STATUS_…` of an
   * activity that was taken and is not completed, which is then the one element of `details`.
   */
  readonly code: string;
  readonly details: readonly unknown[];
  /** HTTP status; 0 without an answer. */
  readonly status: number;

  constructor(message: string, facts: { code: string; details?: readonly unknown[]; status: number; cause?: unknown }) {
    super(message, facts.cause === undefined ? {} : { cause: facts.cause });
    this.code = facts.code;
    this.details = facts.details ?? [];
    this.status = facts.status;
  }
}
