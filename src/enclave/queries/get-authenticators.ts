import type { getAuthenticators } from '../../protocol/queries/get-authenticators.ts';
import { find } from '../activities/refusals.ts';
import type { Answer } from '../answer.ts';
import { authenticatorView } from '../views/authenticator.ts';

export const getAuthenticatorsAnswer: Answer<typeof getAuthenticators> = ({ organization }, request) => ({
  authenticators: find(organization.users, request.userId, 'user', 'userId').authenticators.map(authenticatorView),
});
