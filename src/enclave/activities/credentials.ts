/** API keys and passkeys of users: their checks, their limits and how they come to a user. */
import { createHash } from 'node:crypto';
import type { ApiKeyParameters, AuthenticatorParameters } from '../../protocol/activities/credential-fields.ts';
import { isApiPublicKey } from '../../stamping/is-public-key.ts';
import type { EffectContext } from '../effect.ts';
import type { ApiKey, Authenticator, User } from '../state.ts';
import { verifyRegistration } from '../verify-registration.ts';
import { checkQuota, quotas } from './quotas.ts';
import { invalidField } from './refusals.ts';

/** The organization whose users get credentials: that of the request, or one that is coming into being. */
export type CredentialScope = {
  readonly organizationId: string;
  /** The parent organization; its own id for a parent. */
  readonly parentId: string;
  readonly users: ReadonlyMap<string, User>;
};

export const isExpired = (key: ApiKey, now: number): boolean =>
  key.expirationSeconds !== undefined && key.createdAt + key.expirationSeconds * 1000 <= now;

/**
 * `user` with new API keys. At most ten that last and ten that expire: an eleventh that expires takes the place of an
 * expired one, or else of the oldest.
 */
export function withApiKeys(
  context: EffectContext,
  scope: CredentialScope,
  user: User,
  given: readonly ApiKeyParameters[],
  path: string,
): User {
  const taken = new Set(publicKeysOf(scope.users.values(), user));
  const added = given.map((parameters, index): ApiKey => {
    const { publicKey, curveType, apiKeyName, expirationSeconds } = parameters;
    const field = `${path}.${index}.publicKey`;
    if (!isApiPublicKey(curveType, publicKey)) throw invalidField(field, `invalid api key for ${curveType}`);
    if (taken.has(publicKey)) throw invalidField(field, 'api key is already in use in this organization');
    taken.add(publicKey);
    return {
      id: context.newId(),
      name: apiKeyName,
      publicKey,
      curve: curveType,
      type: curveType.replace('API_KEY_CURVE_', 'CREDENTIAL_TYPE_API_KEY_'),
      ...(expirationSeconds === undefined ? {} : { expirationSeconds }),
      createdAt: context.now,
      updatedAt: context.now,
    };
  });
  return { ...user, apiKeys: withinLimits(user.apiKeys, added, context.now, path), updatedAt: context.now };
}

const publicKeysOf = (users: Iterable<User>, user: User): string[] =>
  [...users, user].flatMap((each) => each.apiKeys.map((key) => key.publicKey));

function withinLimits(held: readonly ApiKey[], added: readonly ApiKey[], now: number, path: string): ApiKey[] {
  const lasts = (key: ApiKey) => key.expirationSeconds === undefined;
  const expiring = added.filter((key) => !lasts(key)).length;
  checkQuota('longLivedApiKeys', [...held, ...added].filter(lasts).length, path);
  checkQuota('shortLivedApiKeys', expiring, path);
  const evictable = held
    .filter((key) => !lasts(key))
    .sort((a, b) => Number(isExpired(b, now)) - Number(isExpired(a, now)) || a.createdAt - b.createdAt);
  const excess = evictable.length + expiring - quotas.shortLivedApiKeys.most;
  const evicted = new Set(evictable.slice(0, Math.max(0, excess)));
  return [...held.filter((key) => !evicted.has(key)), ...added];
}

/** `user` with new passkeys, whose registrations are verified. */
export async function withAuthenticators(
  context: EffectContext,
  scope: CredentialScope,
  user: User,
  given: readonly AuthenticatorParameters[],
  path: string,
): Promise<User> {
  checkQuota('authenticators', user.authenticators.length + given.length, path);
  const taken = new Set(
    [...scope.users.values(), user].flatMap((each) => each.authenticators.map((passkey) => passkey.credentialId)),
  );
  const added: Authenticator[] = [];
  for (const [index, { authenticatorName, challenge, attestation }] of given.entries()) {
    const registration = await verifyRegistration({ challenge, attestation }, context.passkeys, `${path}.${index}`);
    const field = `${path}.${index}.attestation.credentialId`;
    if (taken.has(registration.credentialId) || isClaimedElsewhere(context, scope, registration)) {
      throw invalidField(field, 'authenticator is already in use');
    }
    taken.add(registration.credentialId);
    added.push({
      id: context.newId(),
      name: authenticatorName,
      ...registration,
      createdAt: context.now,
      updatedAt: context.now,
    });
  }
  return { ...user, authenticators: [...user.authenticators, ...added], updatedAt: context.now };
}

/**
 * One passkey may be in several organizations of a parent. A credential id that comes with another public key is not
 * that passkey: who could claim it so would make the look-up from credential to organization ambiguous.
 */
function isClaimedElsewhere(
  context: EffectContext,
  scope: CredentialScope,
  { credentialId, publicKey }: Pick<Authenticator, 'credentialId' | 'publicKey'>,
): boolean {
  const digest = createHash('sha256').update(publicKey).digest().subarray(0, 16);
  return context.identities
    .find(scope.parentId, { kind: 'credentialId', value: credentialId })
    .some((hit) => hit.organizationId !== scope.organizationId && !digest.equals(hit.keyDigest));
}
