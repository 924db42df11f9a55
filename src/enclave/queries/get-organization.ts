import type { getOrganization } from '../../protocol/queries/get-organization.ts';
import type { Answer } from '../answer.ts';
import { policyView } from '../views/policy.ts';
import { privateKeyView } from '../views/private-key.ts';
import { featuresView, quorumView } from '../views/settings.ts';
import { tagView } from '../views/tag.ts';
import { userView } from '../views/user.ts';
import { walletView } from '../views/wallet.ts';
import { byCreation } from './by-creation.ts';

export const getOrganizationAnswer: Answer<typeof getOrganization> = ({ organization }) => ({
  organizationData: {
    organizationId: organization.id,
    name: organization.settings.name,
    users: byCreation(organization.users).map(userView),
    policies: byCreation(organization.policies).map(policyView),
    wallets: byCreation(organization.wallets).map(walletView),
    privateKeys: byCreation(organization.privateKeys).map(privateKeyView),
    tags: byCreation(organization.tags).map(tagView),
    rootQuorum: quorumView(organization),
    features: featuresView(organization),
  },
});
