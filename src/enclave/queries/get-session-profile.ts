import type { getSessionProfile } from '../../protocol/queries/get-session-profile.ts';
import { find } from '../activities/refusals.ts';
import type { Answer } from '../answer.ts';
import { sessionProfileView } from '../views/session-profile.ts';
import { visibleProfiles } from './get-session-profiles.ts';

export const getSessionProfileAnswer: Answer<typeof getSessionProfile> = async (context, { sessionProfileId }) => ({
  sessionProfile: sessionProfileView(
    find(await visibleProfiles(context), sessionProfileId, 'session profile', 'sessionProfileId'),
  ),
});
