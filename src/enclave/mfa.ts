/** Which authenticators an activity needs of one who voted, by that user's MFA policies, and which of them are there. */
import { mayHold } from '../policy/condition.ts';
import type { Facts } from '../policy/values.ts';
import type { MfaPolicyCreation } from '../protocol/activities/create-mfa-policy.ts';
import type { MfaPolicyUpdate } from '../protocol/activities/update-mfa-policy.ts';
import { whenOf } from './conditions.ts';
import type { ApiKey, AuthenticationMethod, Authenticator, MfaPolicy, User } from './state.ts';
import type { Submission } from './submission.ts';

/** A credential as one holds it. */
export type Held =
  | { readonly kind: 'passkey'; readonly held: Authenticator }
  | { readonly kind: 'apiKey'; readonly held: ApiKey };

export type MfaStatus = {
  readonly policy: MfaPolicy;
  readonly userId: string;
  readonly isSatisfied: boolean;
  readonly satisfied: readonly AuthenticationMethod[];
};

/**
 * The policies of `user` that bind it here, and how far the credentials that it stamped with fulfil them. For each thing
 * that is signed the first policy binds whose condition holds, or errs. `facts`: one entry for each of these things.
 */
export function mfaStatuses(
  user: User,
  stamped: readonly Held[],
  submission: Submission,
  facts: () => readonly Facts[],
): readonly MfaStatus[] {
  const { mfaPolicies = [] } = user;
  if (mfaPolicies.length === 0) return [];
  const binding = new Set([
    ...facts().flatMap((each) => mfaPolicies.find((policy) => mayHold(whenOf(policy), each)) ?? []),
    ...loosened(submission, user.id, mfaPolicies),
  ]);
  return [...binding].map((policy) => {
    const satisfied = match(policy.steps, stamped);
    return { policy, userId: user.id, isSatisfied: satisfied.length === policy.steps.length, satisfied };
  });
}

/**
 * The policies that an activity would change, take away or take precedence of: who has them can lift them with what they
 * ask for alone. Others may do it as the policies of the organization have it.
 */
function loosened(
  { activity, parameters }: Submission,
  userId: string,
  policies: readonly MfaPolicy[],
): readonly MfaPolicy[] {
  if ((parameters as { userId?: string }).userId !== userId) return [];
  switch (activity.name) {
    case 'create_mfa_policy': {
      const { order } = parameters as MfaPolicyCreation;
      return policies.filter((policy) => policy.order > order);
    }
    case 'update_mfa_policy': {
      const { mfaPolicyId, mfaPolicyName: _, notes: __, userId: ___, ...change } = parameters as MfaPolicyUpdate;
      const changed = policies.find(({ id }) => id === mfaPolicyId);
      if (!changed || Object.keys(change).length === 0) return [];
      const first = Math.min(changed.order, change.order ?? changed.order);
      return policies.filter((policy) => policy === changed || policy.order > first);
    }
    case 'delete_mfa_policy': {
      const { mfaPolicyId } = parameters as { mfaPolicyId: string };
      return policies.filter(({ id }) => id === mfaPolicyId);
    }
    default:
      return [];
  }
}

/**
 * The methods by which as many of the steps as possible are fulfilled, each step by a credential of its own: one that is
 * used twice is one factor. (A maximum matching, by augmenting paths.)
 */
export function match(steps: MfaPolicy['steps'], shown: readonly Held[]): readonly AuthenticationMethod[] {
  const credentials = [...new Map(shown.map((credential) => [credential.held.id, credential])).values()];
  const stepOf = new Map<Held, number>();
  const methodOf = new Map<number, AuthenticationMethod>();
  const assign = (index: number, tried: Set<Held>): boolean => {
    for (const method of steps[index] ?? []) {
      for (const credential of credentials) {
        if (tried.has(credential) || !fulfils(credential, method)) continue;
        tried.add(credential);
        const other = stepOf.get(credential);
        if (other !== undefined && !assign(other, tried)) continue;
        stepOf.set(credential, index);
        methodOf.set(index, method);
        return true;
      }
    }
    return false;
  };
  for (const index of steps.keys()) assign(index, new Set());
  return steps.flatMap((_, index) => methodOf.get(index) ?? []);
}

/** The profile that methods name for sessions that have none. */
const defaultSession = '00000000-0000-0000-0000-000000000000';

/** What an API key is shown as: who logged in, by whatever, shows a session. */
const isSession = ({ type }: ApiKey): boolean => !type.startsWith('CREDENTIAL_TYPE_API_KEY_');

function fulfils({ kind, held }: Held, { type, id }: AuthenticationMethod): boolean {
  if (kind === 'passkey') return type === 'AUTHENTICATION_TYPE_PASSKEY' && (id ?? held.id) === held.id;
  if (!isSession(held)) return type === 'AUTHENTICATION_TYPE_API_KEY' && (id ?? held.id) === held.id;
  const profile = held.sessionProfileId ?? defaultSession;
  return type === 'AUTHENTICATION_TYPE_SESSION' && (id ?? profile) === profile;
}
