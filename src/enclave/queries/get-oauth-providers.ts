import type { getOauthProviders } from '../../protocol/queries/get-oauth-providers.ts';
import type { Answer } from '../answer.ts';
import { usersOf } from './users-of.ts';

/** Logins with an OIDC provider do not exist yet, so no user has any. */
export const getOauthProvidersAnswer: Answer<typeof getOauthProviders> = ({ organization }, request) => {
  usersOf(organization, request.userId);
  return { oauthProviders: [] };
};
