import type {
  createSubOrganization,
  SubOrganizationParameters,
} from '../../protocol/activities/create-sub-organization.ts';
import { invalidArgument } from '../../protocol/errors.ts';
import type { Effect } from '../effect.ts';
import { noContent, type Organization, put } from '../state.ts';
import { initialFeatures } from './features.ts';
import { newPrivateKeys, privateKeyResultOf } from './private-keys.ts';
import { checkQuota } from './quotas.ts';
import { invalidField, refuseUnsupported } from './refusals.ts';
import { newUsers } from './users.ts';
import { newWallet } from './wallets.ts';

/** The new organization takes over the parent's passkey origins as they are now; later changes there do not reach it. */
export const createSubOrganizationEffect: Effect<typeof createSubOrganization> = async (
  context,
  parameters: SubOrganizationParameters,
) => {
  const { organization: parent, now } = context;
  check(parent, parameters);
  const id = context.newId();
  const scope = { organizationId: id, parentId: parent.id, users: new Map(), tags: noContent.tags };
  const { users, added } = await newUsers(context, scope, parameters.rootUsers, 'parameters.rootUsers');
  const rootUserIds = added.map((user) => user.id);
  const wallet = parameters.wallet && newWallet(context, id, parameters.wallet, 'parameters.wallet');
  const privateKeys = parameters.privateKeys && newPrivateKeys(context, { id, ...noContent }, parameters.privateKeys);
  const created: Organization = {
    id,
    parentId: parent.id,
    settings: {
      name: parameters.subOrganizationName,
      createdAt: now,
      updatedAt: now,
      rootQuorum: { threshold: parameters.rootQuorumThreshold, userIds: rootUserIds },
      features: initialFeatures(parameters),
      origins: parent.settings.origins,
      rpIds: parent.settings.rpIds,
    },
    ...noContent,
    users,
    ...(wallet && {
      wallets: put(noContent.wallets, wallet.wallet),
      accounts: put(noContent.accounts, ...wallet.accounts),
    }),
    ...(privateKeys && { privateKeys: privateKeys.privateKeys }),
    deleted: false,
  };
  return {
    result: {
      subOrganizationId: id,
      ...(wallet && {
        wallet: { walletId: wallet.wallet.id, addresses: wallet.accounts.map(({ address }) => address) },
      }),
      ...(privateKeys && { privateKeys: privateKeys.added.map(privateKeyResultOf) }),
      rootUserIds,
    },
    created: [created],
    keys: [...(wallet?.keys ?? []), ...(privateKeys?.keys ?? [])],
  };
};

function check(parent: Organization, parameters: SubOrganizationParameters): void {
  if (parent.parentId !== null) throw invalidArgument('a sub-organization cannot have sub-organizations');
  const { rootUsers, rootQuorumThreshold, verificationToken, clientSignature } = parameters;
  refuseUnsupported(verificationToken, 'parameters.verificationToken', 'verification by one-time password');
  refuseUnsupported(clientSignature, 'parameters.clientSignature', 'verification by one-time password');
  checkQuota('users', rootUsers.length, 'parameters.rootUsers');
  if (rootUsers.length < rootQuorumThreshold) throw invalidField('parameters.rootUsers', 'quorum users missing');
  for (const [index, user] of rootUsers.entries()) {
    refuseUnsupported(
      user.oauthProviders,
      `parameters.rootUsers.${index}.oauthProviders`,
      'login with an OIDC provider',
    );
    if (user.apiKeys.length + user.authenticators.length === 0) {
      throw invalidField(`parameters.rootUsers.${index}`, 'expected an authenticator or an api key');
    }
  }
}
