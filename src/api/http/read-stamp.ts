import type { IncomingHttpHeaders } from 'node:http';
import { CountersignError, invalidArgument } from '../../protocol/errors.ts';
import type { RequestMessage, StampHeader } from '../../protocol/messages.ts';

const headers: readonly StampHeader[] = ['x-stamp', 'x-stamp-webauthn'];
const maxStamp = 8 * 1024;

/** The one stamp of a request; null when there is none, which is for the enclave to refuse. */
export function readStamp(given: IncomingHttpHeaders): RequestMessage['stamp'] {
  const stamps = headers.flatMap((header) => {
    const value = given[header];
    return typeof value === 'string' ? [{ header, value }] : [];
  });
  for (const { header, value } of stamps) {
    if (value.length > maxStamp) {
      throw invalidArgument(`expected a header ${header} of at most ${maxStamp} bytes`, { status: 431 });
    }
  }
  if (stamps.length > 1) {
    throw new CountersignError(
      'UNAUTHENTICATED',
      'malformed activity stamp: expected one of X-Stamp and X-Stamp-Webauthn',
    );
  }
  return stamps[0] ?? null;
}
