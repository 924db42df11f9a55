import { conditionProblem } from '../../policy/condition.ts';
import type { createSessionProfile } from '../../protocol/activities/create-session-profile.ts';
import { CountersignError } from '../../protocol/errors.ts';
import type { Effect } from '../effect.ts';
import { put, type SessionProfile } from '../state.ts';
import { invalidField } from './refusals.ts';

const mostProfiles = 100;

export const createSessionProfileEffect: Effect<typeof createSessionProfile> = (
  { organization, now, newId },
  { sessionProfileName: name, scope, expirationSeconds, notes },
) => {
  const { sessionProfiles } = organization;
  if (sessionProfiles.size >= mostProfiles) {
    const message = `organization is over its allotted quota: expected at most ${mostProfiles} session profiles, which stay for good`;
    throw new CountersignError('RESOURCE_EXHAUSTED', message, { reason: 'QUOTA_EXCEEDED' });
  }
  const problem = conditionProblem(scope);
  if (problem !== null) throw invalidField('parameters.scope', `invalid session profile scope: ${problem}`);
  const profile: SessionProfile = {
    id: newId(),
    name,
    scope,
    ...(expirationSeconds === undefined ? {} : { expirationSeconds }),
    ...(notes === undefined ? {} : { notes }),
    createdAt: now,
    updatedAt: now,
  };
  return {
    result: { sessionProfileId: profile.id },
    organization: { ...organization, sessionProfiles: put(sessionProfiles, profile) },
  };
};
