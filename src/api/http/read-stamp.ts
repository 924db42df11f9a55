import type { IncomingHttpHeaders } from 'node:http';
import { CountersignError, invalidArgument } from '../../protocol/errors.ts';
import type { RequestMessage, StampHeader } from '../../protocol/messages.ts';

const maxStamp = 8 * 1024;

/** The one stamp of a request; null when there is none, which is for the enclave to refuse. */
export function readStamp(given: IncomingHttpHeaders): RequestMessage['stamp'] {
  const apiKey = stampIn(given, 'x-stamp');
  const passkey = stampIn(given, 'x-stamp-webauthn');
  if (apiKey && passkey) {
    throw new CountersignError(
      'UNAUTHENTICATED',
      'malformed activity stamp: expected one of X-Stamp and X-Stamp-Webauthn',
    );
  }
  return apiKey ?? passkey;
}

function stampIn(given: IncomingHttpHeaders, header: StampHeader): RequestMessage['stamp'] {
  const value = given[header];
  if (typeof value !== 'string') return null;
  if (value.length > maxStamp) {
    throw invalidArgument(`expected a header ${header} of at most ${maxStamp} bytes`, { status: 431 });
  }
  return { header, value };
}
