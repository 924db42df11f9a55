/** What the activities about users share. */
import type { UserParameters } from '../../protocol/activities/credential-fields.ts';
import { CountersignError } from '../../protocol/errors.ts';
import type { EffectContext, Outcome } from '../effect.ts';
import { type Counters, type Organization, put, type User } from '../state.ts';
import { type CredentialScope, isExpired, withApiKeys, withAuthenticators } from './credentials.ts';
import { checkQuota } from './quotas.ts';
import { find, findAll, refuseUnsupported } from './refusals.ts';
import { checkTags, userTags } from './tags.ts';

/** The organization of the request, as the place where users get credentials. */
export const scopeOf = ({ id, parentId, users }: Organization): CredentialScope => ({
  organizationId: id,
  parentId: parentId ?? id,
  users,
});

/** Makes users with their credentials and tags: all users of `scope` with them, and the new ones in order. */
export async function newUsers(
  context: EffectContext,
  scope: CredentialScope & Pick<Organization, 'tags'>,
  given: readonly UserParameters[],
  path: string,
): Promise<{ users: ReadonlyMap<string, User>; added: User[] }> {
  let { users } = scope;
  const added: User[] = [];
  for (const [index, parameters] of given.entries()) {
    const at = `${path}.${index}`;
    refuseUnsupported(parameters.oauthProviders, `${at}.oauthProviders`, 'login with an OIDC provider');
    const tagIds = parameters.userTags ?? [];
    checkTags(scope.tags, userTags, { ids: tagIds, field: `${at}.userTags` });
    const blank: User = {
      id: context.newId(),
      name: parameters.userName,
      ...contact({ email: parameters.userEmail, phoneNumber: parameters.userPhoneNumber }),
      authenticators: [],
      apiKeys: [],
      tagIds,
      createdAt: context.now,
      updatedAt: context.now,
    };
    const scopeNow = { ...scope, users };
    const withKeys = withApiKeys(context, scopeNow, blank, parameters.apiKeys, `${at}.apiKeys`);
    const user = await withAuthenticators(
      context,
      scopeNow,
      withKeys,
      parameters.authenticators,
      `${at}.authenticators`,
    );
    users = put(users, user);
    added.push(user);
  }
  return { users, added };
}

/** Adds users to the organization of the request. */
export async function addUsers(
  context: EffectContext,
  given: readonly UserParameters[],
  path: string,
): Promise<Outcome<{ userIds: string[] }>> {
  const { organization } = context;
  checkQuota('users', organization.users.size + given.length, path);
  const { users, added } = await newUsers(context, { ...scopeOf(organization), tags: organization.tags }, given, path);
  return { result: { userIds: added.map((user) => user.id) }, organization: { ...organization, users } };
}

type Contact = { email?: string | undefined; phoneNumber?: string | undefined };

/** Without what is empty. */
const contact = ({ email, phoneNumber }: Contact): Pick<User, 'email' | 'phoneNumber'> => ({
  ...(email ? { email } : {}),
  ...(phoneNumber ? { phoneNumber } : {}),
});

/** Changes what of name, contact and tags is given; an empty e-mail address or phone number is taken away. */
export function changeUser(
  { organization, now }: EffectContext,
  userId: string,
  change: Contact & { name?: string | undefined; tagIds?: readonly string[] },
): Outcome<{ userId: string }> {
  const { email, phoneNumber, ...user } = findUser(organization, userId);
  const changed: User = {
    ...user,
    name: change.name ?? user.name,
    tagIds: change.tagIds ?? user.tagIds,
    ...contact({ email: change.email ?? email, phoneNumber: change.phoneNumber ?? phoneNumber }),
    updatedAt: now,
  };
  return { result: { userId }, organization: { ...organization, users: put(organization.users, changed) } };
}

export const findUser = (organization: Organization, userId: string): User =>
  find(organization.users, userId, 'user', 'parameters.userId');

/** The counters without those of the credentials `ids`. */
export const withoutCounts = ({ signCounts, ...counters }: Counters, ids: readonly string[]): Counters => ({
  ...counters,
  signCounts: Object.fromEntries(Object.entries(signCounts).filter(([id]) => !ids.includes(id))),
});

/** Takes credentials from a user; the root quorum must stay reachable. */
export function removeCredentials(
  { organization, now }: EffectContext,
  userId: string,
  kind: 'authenticators' | 'apiKeys',
  ids: readonly string[],
  field: string,
): Organization {
  const user = findUser(organization, userId);
  const held = new Map(user[kind].map((credential) => [credential.id, credential]));
  findAll(held, ids, kind === 'apiKeys' ? 'api key' : 'authenticator', field);
  const left = user[kind].filter(({ id }) => !ids.includes(id));
  const next = {
    ...organization,
    users: put(organization.users, { ...user, [kind]: left, updatedAt: now }),
    counters: withoutCounts(organization.counters, ids),
  };
  if (organization.settings.rootQuorum.userIds.includes(userId)) checkQuorum(next, now);
  return next;
}

/** Refuses a change after which too few members of the root quorum could still stamp: nobody could undo it. */
export function checkQuorum({ users, settings }: Organization, now: number): void {
  const { threshold, userIds } = settings.rootQuorum;
  const able = userIds.filter((id) => {
    const user = users.get(id);
    return user && (user.authenticators.length > 0 || user.apiKeys.some((key) => !isExpired(key, now)));
  });
  if (able.length >= threshold) return;
  throw new CountersignError(
    'FAILED_PRECONDITION',
    'too few members of the root quorum with a credential would be left to reach its threshold',
  );
}
