import type { whoami } from '../../protocol/queries/whoami.ts';
import type { Answer } from '../answer.ts';

export const whoamiAnswer: Answer<typeof whoami> = ({ caller }) => ({
  organizationId: caller.organization.id,
  organizationName: caller.organization.settings.name,
  userId: caller.user.id,
  username: caller.user.name,
});
