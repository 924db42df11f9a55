/** Logging in to an application's own backend: its user stamps a `whoami` that carries a nonce of the backend's. */
import type { Client } from './client.ts';
import { CountersignClientError } from './error.ts';
import { forward } from './forward.ts';
import { readBody, readStamped } from './read-stamped.ts';
import type { Stamped } from './send.ts';

export type Login = {
  /** Of the user, below the organization that was asked. */
  readonly organizationId: string;
  readonly organizationName: string;
  readonly userId: string;
  readonly username: string;
};

const minNonceLength = 16;

/** In the frontend: stamps the login with the nonce that the backend has just given out. `client` is of the app's organization. */
export const stampLogin = (client: Pick<Client, 'stamp'>, { nonce }: { readonly nonce: string }): Promise<Stamped> =>
  client.stamp.getWhoami({ nonce } as object);

/**
 * In the backend: who logs in. `nonce` is the random one that this visitor was given (16 characters or more, such as a UUID);
 * forget it before the call, so that a stamp logs in once. `organizationId` is the app's own organization: only users of its
 * sub-organizations can log in. The service refuses a stamp older than an hour. Throws `CountersignClientError`.
 */
export async function checkLogin(
  stamped: Stamped,
  options: { readonly baseUrl: string; readonly organizationId: string; readonly nonce: string | undefined },
): Promise<Login> {
  const { baseUrl, organizationId, nonce } = options;
  // Or else a request without a nonce would log in where none was given out.
  if (typeof nonce !== 'string' || nonce.length < minNonceLength) {
    throw refused(`a nonce of ${minNonceLength} characters or more to have been given out`);
  }
  const body = readBody(readStamped(stamped, 'getWhoami').body);
  if (body.query !== 'whoami' || !/^\d{13}$/.test(String(body.timestampMs))) {
    throw refused('a login: whoami with its name and time');
  }
  if (body.organizationId !== organizationId) throw refused(`a login to the organization ${organizationId}`);
  if (body.nonce !== nonce) throw refused('a login with the nonce that was given out');
  const login = await forward(stamped, { baseUrl, method: 'getWhoami' });
  if (login.organizationId === organizationId) throw refused('a login of a sub-organization');
  return login;
}

const refused = (expected: string): CountersignClientError =>
  new CountersignClientError(`not logged in: expected ${expected}`, { code: 'UNAUTHENTICATED', status: 401 });
