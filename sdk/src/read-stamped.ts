import { maxStampLength, type Stamp } from '../../src/stamping/stamp.ts';
import { CountersignClientError } from './error.ts';
import { methods } from './methods.ts';
import type { Stamped } from './send.ts';

/**
 * A stamped request from whoever sent it: only what such a request has, and of its address the path alone. With `method` it has
 * to ask for that. Throws `CountersignClientError` INVALID_ARGUMENT.
 */
export function readStamped(given: unknown, method?: string): { path: string; body: string; stamp: Stamp } {
  const { url, body, stamp } = (given ?? {}) as Partial<Stamped>;
  const path = typeof url === 'string' && /\/public\/v1\/((?:submit|query)\/[a-z0-9_]{1,100})$/.exec(url)?.[1];
  if (!path || typeof body !== 'string') throw malformed('url and body of a request to the service');
  if (method !== undefined && path !== methods[method]?.path) throw malformed(`a request for ${method}`);
  const { header, value } = stamp ?? {};
  const isStamp = typeof value === 'string' && value.length <= maxStampLength && /^[\x20-\x7e]+$/.test(value);
  if ((header === 'X-Stamp' || header === 'X-Stamp-Webauthn') && isStamp)
    return { path, body, stamp: { header, value } };
  throw malformed('a stamp');
}

/** The JSON object in a body. */
export function readBody(body: string): Readonly<Record<string, unknown>> {
  try {
    return { ...(JSON.parse(body) as object) };
  } catch {
    throw malformed('a body in JSON');
  }
}

export const malformed = (expected: string): CountersignClientError =>
  new CountersignClientError(`invalid stamped request: expected ${expected}`, {
    code: 'INVALID_ARGUMENT',
    status: 400,
  });
