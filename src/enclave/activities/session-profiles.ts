/**
 * How a key comes to be bound by a session profile. Whoever makes such keys goes this way: `create_api_keys` here, and what
 * signs users in, whose keys are of another type (`CREDENTIAL_TYPE_LOGIN`) and so count as sessions.
 */
import type { EffectContext } from '../effect.ts';
import { type Organization, put, type SessionProfile } from '../state.ts';
import { find } from './refusals.ts';

/** The profile `id` of the organization or of its parent, and the organization with that profile among its own. */
export async function withProfile(
  { parentProfiles }: EffectContext,
  organization: Organization,
  id: string,
  field: string,
): Promise<{ profile: SessionProfile; organization: Organization }> {
  const { sessionProfiles } = organization;
  const own = sessionProfiles.get(id);
  if (own) return { profile: own, organization };
  const profile = find(await parentProfiles(), id, 'session profile', field);
  return { profile, organization: { ...organization, sessionProfiles: put(sessionProfiles, profile) } };
}

/** Seconds that a key lasts: what was asked for, and no longer than its profile allows. */
export function lifetimeOf({ expirationSeconds }: SessionProfile, asked: number | undefined): number | undefined {
  if (asked === undefined || expirationSeconds === undefined) return asked ?? expirationSeconds;
  return Math.min(asked, expirationSeconds);
}
