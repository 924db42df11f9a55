import type { getSessionProfiles } from '../../protocol/queries/get-session-profiles.ts';
import type { Answer, QueryContext } from '../answer.ts';
import type { SessionProfile } from '../state.ts';
import { sessionProfileView } from '../views/session-profile.ts';
import { byCreation } from './by-creation.ts';

export const getSessionProfilesAnswer: Answer<typeof getSessionProfiles> = async (context) => ({
  sessionProfiles: byCreation(await visibleProfiles(context)).map(sessionProfileView),
});

/** Its own and its parent's; one that is both is there once. */
export const visibleProfiles = async ({
  organization,
  parentProfiles,
}: QueryContext): Promise<ReadonlyMap<string, SessionProfile>> =>
  new Map([...(await parentProfiles()), ...organization.sessionProfiles]);
