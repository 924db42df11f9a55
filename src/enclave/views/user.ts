import type { UserObject } from '../../protocol/queries/objects.ts';
import type { User } from '../state.ts';
import { apiKeyView } from './api-key.ts';
import { authenticatorView } from './authenticator.ts';
import { mfaPoliciesView } from './mfa-policy.ts';
import { timesView } from './times.ts';

export const userView = (user: User): UserObject => ({
  userId: user.id,
  userName: user.name,
  ...(user.email === undefined ? {} : { userEmail: user.email }),
  ...(user.phoneNumber === undefined ? {} : { userPhoneNumber: user.phoneNumber }),
  authenticators: user.authenticators.map(authenticatorView),
  apiKeys: user.apiKeys.map(apiKeyView),
  userTags: [...user.tagIds],
  oauthProviders: [],
  mfaPolicies: mfaPoliciesView(user),
  ...timesView(user),
});
