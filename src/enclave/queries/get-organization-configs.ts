import type { getOrganizationConfigs } from '../../protocol/queries/get-organization-configs.ts';
import type { Answer } from '../answer.ts';
import { featuresView, quorumView } from '../views/settings.ts';

export const getOrganizationConfigsAnswer: Answer<typeof getOrganizationConfigs> = ({ organization }) => ({
  configs: { features: featuresView(organization), quorum: quorumView(organization) },
});
