/** An error whose message is for the operator: what is wrong and what to do, printed without a stack. */
export class OperatorError extends Error {
  override name = 'OperatorError';
}

/** `code` of a system error, such as `EACCES`. */
export const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException | undefined)?.code;
