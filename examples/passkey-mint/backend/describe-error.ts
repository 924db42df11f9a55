import { BaseError, HttpRequestError, TimeoutError, WaitForTransactionReceiptTimeoutError } from 'viem';
import { CountersignClientError } from '../../../sdk/src/index.ts';
import { AppError, type ErrorKind } from './app-error.ts';

const chainErrors = [HttpRequestError, TimeoutError, WaitForTransactionReceiptTimeoutError];

/** What the page is told, in words for the person there. What nobody expected goes to the log, and no further. */
export function describeError(error: unknown): Description {
  const { status, kind, message, reason } = asAppError(error);
  if (kind === 'internal') console.error(error);
  return { status, kind, message, reason };
}

type Description = Readonly<{ status: number; kind: ErrorKind; message: string; reason: string | undefined }>;

function asAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (error instanceof CountersignClientError) return ofCountersign(error);
  if (error instanceof BaseError) {
    if (error.walk((cause) => chainErrors.some((type) => cause instanceof type))) {
      return new AppError('chain', 'The chain does not answer. Nothing is lost: try again in a moment.');
    }
    return new AppError('refused', `The chain refuses this: ${error.shortMessage}`);
  }
  return new AppError('internal', 'Something went wrong here. Please try again.');
}

function ofCountersign({ code, message, status, details }: CountersignClientError): AppError {
  const [detail] = details as readonly { readonly turnkeyErrorCode?: string }[];
  if (detail?.turnkeyErrorCode === 'CREDENTIAL_NOT_FOUND') {
    return new AppError('refused', 'This passkey belongs to no account here. Create one first.');
  }
  if (status === 0 || status >= 500) return new AppError('internal', `The signing service does not answer: ${message}`);
  if (code === 'UNAUTHENTICATED') return new AppError('refused', `This passkey was not accepted: ${message}`);
  return new AppError('refused', `Refused: ${message}`);
}
