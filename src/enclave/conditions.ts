/** The conditions that an organization keeps besides its policies, compiled once: of MFA policies and session profiles. */
import { type Condition, compileCondition } from '../policy/condition.ts';
import { InvalidPolicyError } from '../policy/policy-set.ts';
import type { MfaPolicy, Organization, SessionProfile, User } from './state.ts';

/** By what is stored, which never changes in place. */
const compiled = new WeakMap<MfaPolicy | SessionProfile, Condition>();

export const whenOf = (policy: MfaPolicy): Condition => known(policy, policy.condition, 'true');
export const scopeOf = (profile: SessionProfile): Condition => known(profile, profile.scope, 'false');

/** What was checked when it was stored compiles; if it ever does not, `strictest` is in its place. */
function known(stored: MfaPolicy | SessionProfile, source: string, strictest: string): Condition {
  const found = compiled.get(stored) ?? compile(source, strictest);
  compiled.set(stored, found);
  return found;
}

function compile(source: string, strictest: string): Condition {
  try {
    return compileCondition(source);
  } catch (error) {
    if (!(error instanceof InvalidPolicyError)) throw error;
    return compileCondition(strictest);
  }
}

const ofUsers = new WeakMap<ReadonlyMap<string, User>, readonly Condition[]>();
const ofProfiles = new WeakMap<ReadonlyMap<string, SessionProfile>, readonly Condition[]>();

/** All of them. */
export function conditionsOf({ users, sessionProfiles }: Organization): readonly Condition[] {
  const when = memoized(ofUsers, users, () =>
    [...users.values()].flatMap(({ mfaPolicies = [] }) => mfaPolicies.map(whenOf)),
  );
  const scopes = memoized(ofProfiles, sessionProfiles, () => [...sessionProfiles.values()].map(scopeOf));
  return when.length === 0 ? scopes : [...when, ...scopes];
}

function memoized<Key extends object, Value>(memory: WeakMap<Key, Value>, key: Key, compute: () => Value): Value {
  const value = memory.get(key) ?? compute();
  memory.set(key, value);
  return value;
}
