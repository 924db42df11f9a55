/** What the activities about MFA policies share. */
import { conditionProblem } from '../../policy/condition.ts';
import type { MfaPolicyCreation } from '../../protocol/activities/create-mfa-policy.ts';
import { type Held, match } from '../mfa.ts';
import { type AuthenticationMethod, type MfaPolicy, type Organization, put, type User } from '../state.ts';
import { checkQuota } from './quotas.ts';
import { find, invalidField, unimplemented } from './refusals.ts';

export const findMfaPolicy = ({ mfaPolicies = [] }: User, id: string, field: string): MfaPolicy =>
  find(new Map(mfaPolicies.map((policy) => [policy.id, policy])), id, 'mfa policy', field);

export const stepsOf = (given: MfaPolicyCreation['requiredAuthenticationMethods']): MfaPolicy['steps'] =>
  given.map(({ any }) => any);

/** The organization with these MFA policies of `user` instead of those that it has. */
export function withMfaPolicies(
  organization: Organization,
  user: User,
  policies: readonly MfaPolicy[],
  now: number,
): Organization {
  const mfaPolicies = [...policies].sort((a, b) => a.order - b.order);
  return { ...organization, users: put(organization.users, { ...user, mfaPolicies, updatedAt: now }) };
}

/** Refuses a policy whose condition is none, whose place is taken, or that its user has not the credentials for. */
export function checkMfaPolicy({ users }: Organization, user: User, policy: MfaPolicy): void {
  const others = (user.mfaPolicies ?? []).filter(({ id }) => id !== policy.id);
  checkQuota('mfaPolicies', others.length + 1, 'parameters');
  const all = [...users.values()].reduce((sum, { mfaPolicies = [] }) => sum + mfaPolicies.length, 0);
  checkQuota('allMfaPolicies', all - (user.mfaPolicies?.length ?? 0) + others.length + 1, 'parameters');
  const problem = conditionProblem(policy.condition);
  if (problem !== null) throw invalidField('parameters.condition', `invalid mfa policy condition: ${problem}`);
  if (others.some(({ order }) => order === policy.order)) {
    throw invalidField('parameters.order', 'mfa policy order must be unique');
  }
  checkSteps(user, policy);
}

const field = 'parameters.requiredAuthenticationMethods';

/** What users can stamp with. The other types come with signing in. */
const supported: ReadonlySet<AuthenticationMethod['type']> = new Set([
  'AUTHENTICATION_TYPE_PASSKEY',
  'AUTHENTICATION_TYPE_API_KEY',
]);

/** Each step needs a credential of its own, of those that last. */
function checkSteps(user: User, { name, steps }: MfaPolicy): void {
  const held = lastingCredentials(user);
  for (const [index, step] of steps.entries()) {
    if (!step.some(({ type }) => supported.has(type))) {
      const types = step.map(({ type }) => type).join(', ');
      throw unimplemented(`${field}.${index}`, `${types} in an mfa policy is not supported yet`);
    }
    if (match(steps.slice(0, index + 1), held).length > index) continue;
    const wanted = JSON.stringify(step.map(({ type }) => type.replace('AUTHENTICATION_TYPE_', '')));
    throw invalidField(
      `${field}.${index}`,
      `user (${user.id}) cannot satisfy mfa policy requirement: mfa policy '${name}' requires one of ${wanted} but user does not, or will not, have a matching credential; each step needs one of its own`,
    );
  }
}

const lastingCredentials = ({ authenticators, apiKeys }: User): readonly Held[] => [
  ...authenticators.map((held) => ({ kind: 'passkey', held }) as const),
  ...apiKeys.filter((key) => key.expirationSeconds === undefined).map((held) => ({ kind: 'apiKey', held }) as const),
];
