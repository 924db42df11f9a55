import { CountersignError } from '../../../src/protocol/errors.ts';

/** The error for callers that `call` throws; anything else it throws, or nothing, fails the test. */
export function thrownBy(call: () => unknown): CountersignError {
  try {
    call();
  } catch (error) {
    if (error instanceof CountersignError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
