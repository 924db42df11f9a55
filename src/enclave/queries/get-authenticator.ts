import type { getAuthenticator } from '../../protocol/queries/get-authenticator.ts';
import { notFound } from '../activities/refusals.ts';
import type { Answer } from '../answer.ts';
import { authenticatorView } from '../views/authenticator.ts';
import { byCreation } from './by-creation.ts';

export const getAuthenticatorAnswer: Answer<typeof getAuthenticator> = ({ organization }, request) => {
  const all = byCreation(organization.users).flatMap(({ authenticators }) => authenticators);
  const found = all.find(({ id }) => id === request.authenticatorId);
  if (!found) throw notFound('authenticatorId', 'authenticator', request.authenticatorId);
  return { authenticator: authenticatorView(found) };
};
